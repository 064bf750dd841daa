// The Markdown of answers: GitHub's, but a single tilde is no mark (`10~20 g`), formulas stay as written, and emphasis works
// beside Chinese, Japanese and Korean text: `**重要：**内容`. Rule: https://github.com/tats-u/markdown-cjk-friendly
import { Lexer, Marked } from "../vendor/marked-18.2.1.js";

// A formula contains no blank line, which ends a paragraph, no backtick (\x60), which may begin code, and no other opening
// mark, so that a text full of them is read only once.
const CONTENT = String.raw`(?:\\[^()[\]\x60\n]|[^\\$\x60\n]|\n(?![ \t]*\n))+`;
const DISPLAY = String.raw`\\\[${CONTENT}\\\]|\$\$${CONTENT}\$\$`;
const FORMULA = String.raw`${DISPLAY}|\\\(${CONTENT}\\\)|(?<![\w$])\$(?!\s)${CONTENT}(?<!\s)\$(?![\w$])`; // not `$5 to $10`
const BLOCK = String.raw` {0,3}(?:${DISPLAY})[ \t]*(?=\n|$)`;

const formula = new RegExp(`^(?:${FORMULA})`);
const block = new RegExp(`^${BLOCK}`);
const linesBeforeBlock = new RegExp(`^.*\n(?:.+\n)*?(?=${BLOCK})`);
const textBeforeDollar = /^[^\\<![\x60*_~]*?(?<![\w$])(?=\$)/;

const CJK = String.raw`\u2e80-\u2fff\u3001-\ua4cf\uf900-\ufaff\ufe30-\ufe6f\uff01-\uffee\p{sc=Han}\p{sc=Hang}`;
const PUNCTUATION = String.raw`[\p{P}\p{S}]`;
const OTHER = `(?![~${CJK}])${PUNCTUATION}`;

const RULES = {
  emStrongLDelim: new RegExp(String.raw`^(?:\*+(?:((?!\*)${OTHER})|([^\s*]))?)|^_+(?:((?![_~])${PUNCTUATION})|([^\s_]))?`, "u"),
  delLDelim: new RegExp(String.raw`^~~(?:(${OTHER})|[^\s~])`, "u"),
  punctuation: new RegExp(String.raw`^(?![*_])[\s\p{P}\p{S}${CJK}]`, "u"),
  // Code, escapes and formulas: `marked` does not look for closing marks there.
  anyPunctuationOutsideCode: new RegExp(
    String.raw`(\x60+)(?:[^\x60]|[^\x60][\s\S]*?[^\x60])\1(?!\x60)|\x60+|(${FORMULA}|\\${PUNCTUATION})`,
    "gu",
  ),
};

// Otherwise Markdown would remove the backslashes of formulas and turn `_` and `*` into emphasis.
const FORMULAS = {
  extensions: [
    {
      name: "displayFormula",
      level: "block",
      start: (text) => linesBeforeBlock.exec(text)?.[0].length,
      tokenizer(text) {
        const [raw] = block.exec(text) ?? [];
        return raw && { type: "displayFormula", raw, tokens: [textToken(raw.trim())] };
      },
      renderer({ tokens }) {
        return `<p>${this.parser.parseInline(tokens).replaceAll("\n", "<br>")}</p>\n`;
      },
    },
    {
      name: "formula",
      level: "inline",
      start: (text) => textBeforeDollar.exec(text)?.[0].length,
      tokenizer(text) {
        const [raw] = formula.exec(text) ?? [];
        return raw && textToken(raw);
      },
    },
  ],
};

// CJK characters beside a mark, and punctuation with only a mark between it and a CJK character.
const BESIDE_CJK = new RegExp(
  `(?![*_~])(?:[${CJK}](?=[*~])|(?<=[*~])[${CJK}]|${PUNCTUATION}(?=[*~]+[${CJK}])|(?<=[${CJK}][*~]+)${PUNCTUATION})`,
  "gu",
);

// `marked` looks for closing marks in the text that this hook returns; a letter does not prevent one.
const emStrongMask = (text) => text.replace(BESIDE_CJK, (character) => "a".repeat(character.length));

export const markdown = new Marked(FORMULAS, { hooks: { emStrongMask } });

class AnswerLexer extends Lexer {
  constructor() {
    super(markdown.defaults);
    this.tokenizer.rules.inline = { ...this.tokenizer.rules.inline, ...RULES };
  }
}

// Return the Markdown tokens of the text. Each top-level token is a block.
export function lex(text) {
  return new AnswerLexer().lex(text);
}

// `marked` escapes the text, except what looks like a character reference.
function textToken(raw) {
  return { type: "text", raw, text: raw.replaceAll("&", "&amp;"), escaped: false };
}
