// Highlights comments, strings, numbers and common keywords of most languages. It creates text nodes and spans, never
// markup, so text from the model is not parsed as HTML.

const KEYWORD_LIST =
  "and as async await break case catch class const continue def default del do elif else end enum except export " +
  "extends false False finally fn for from func function if impl import in interface is lambda let local match mod " +
  "mut new nil None not null or package pass private protected pub public raise return self static struct super " +
  "switch then this throw trait true True try type typeof undefined use var void while with yield " +
  "SELECT FROM WHERE INSERT INTO UPDATE DELETE CREATE TABLE JOIN LEFT ON GROUP ORDER BY AND OR NOT NULL VALUES SET";
const KEYWORDS = new Set(KEYWORD_LIST.split(" "));
const PLAIN = new Set(["language-text", "language-txt", "language-plain", "language-markdown", "language-md"]);
const MAX_CHARACTERS = 20_000; // highlighting longer code would block the page noticeably

const PARTS = new RegExp(
  [
    String.raw`(?<comment>\/\*[\s\S]*?\*\/|(?<=^|\s)(?:\/\/|#(?!\[)|--\s).*)`,
    String.raw`(?<string>"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|` + "`(?:\\\\.|[^`\\\\])*`)",
    String.raw`(?<number>\b\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?\b|\b0x[\da-fA-F]+\b)`,
    String.raw`(?<word>[A-Za-z_]\w*)`,
  ].join("|"),
  "gm",
);

export function highlight(code) {
  const text = code.textContent;
  if (!code.className || PLAIN.has(code.className) || text.length > MAX_CHARACTERS) return;
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(PARTS)) {
    const kind = kindOf(match);
    if (!kind) continue;
    parts.push(text.slice(end, match.index), span(kind, match[0]));
    end = match.index + match[0].length;
  }
  code.replaceChildren(...parts, text.slice(end));
}

function kindOf({ groups, 0: part }) {
  if (groups.word) return KEYWORDS.has(part) ? "keyword" : null;
  return Object.keys(groups).find((kind) => groups[kind] !== undefined);
}

function span(kind, text) {
  const element = document.createElement("span");
  element.className = `hl-${kind}`;
  element.textContent = text;
  return element;
}
