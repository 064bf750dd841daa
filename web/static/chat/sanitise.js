// Renders untrusted Markdown to a safe DOM fragment. Three defences, each sufficient alone: raw HTML is shown as text, the
// result is sanitised to a short list of elements, and the page's Content-Security-Policy blocks scripts and requests.
import "../vendor/dompurify-3.4.18.js";
import { lex, markdown } from "./syntax.js";

const { DOMPurify } = globalThis;

const ALLOWED = {
  ALLOWED_TAGS: [
    "a", "blockquote", "br", "code", "del", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "strong",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
  ],
  ALLOWED_ATTR: ["align", "class", "href", "start"],
  ADD_URI_SAFE_ATTR: ["align", "start"], // otherwise their values would have to be URLs
  ALLOWED_URI_REGEXP: /^(?:https?:\/\/|mailto:)/i,
  ALLOW_ARIA_ATTR: false,
  ALLOW_DATA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};
const LANGUAGE = /^language-[\w+#.-]{1,30}$/;

DOMPurify.addHook("afterSanitizeAttributes", (node) => {
  if (node.hasAttribute("class") && !(node.tagName === "CODE" && LANGUAGE.test(node.className))) {
    node.removeAttribute("class"); // otherwise text could imitate parts of the page
  }
  if (node.tagName === "A" && node.hasAttribute("href")) {
    node.setAttribute("target", "_blank");
    node.setAttribute("rel", "noopener noreferrer nofollow");
  }
});

markdown.use({
  renderer: {
    html: ({ text }) => (/^<br ?\/?>$/i.test(text.trim()) ? "<br>" : escape(text)),
    image: ({ href, text }) => `<a href="${escape(href)}">${escape(text || href)}</a>`, // an image would be fetched at once; a link is not
    checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
    heading({ tokens, depth }) {
      const level = Math.min(6, depth + 2); // levels 1 and 2 are headings of the page
      return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>`;
    },
  },
});

export function renderMarkdown(text) {
  return DOMPurify.sanitize(markdown.parser(lex(text)), ALLOWED);
}

function escape(text) {
  const names = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return text.replace(/[&<>"']/g, (character) => names[character]);
}
