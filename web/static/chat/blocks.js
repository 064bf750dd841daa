// An answer that grows, as blocks of Markdown. Those that can no longer change are kept as they are, so that each new
// piece of text costs the last block alone, and not the whole answer.
import { marked } from "../vendor/marked-18.2.1.js";

export class Blocks {
  #text = "";
  #frozen = [];
  #frozenLength = 0;

  // The blocks of this text, the last one still open.
  of(text) {
    const normal = text.replaceAll("\r\n", "\n").replaceAll("\r", "\n"); // as `marked` does, or lengths would not fit
    if (!normal.startsWith(this.#text)) this.#forget();
    this.#text = normal;
    const rest = marked.lexer(normal.slice(this.#frozenLength));
    const open = [];
    let length = this.#frozenLength;
    for (const [at, token] of rest.entries()) {
      length += token.raw.length;
      if (token.type !== "space") open.push(token.raw);
      // Only behind a blank line: until then the next line can still belong to this block. The last one stays open.
      const later = rest.slice(at + 1).some((next) => next.type !== "space");
      if (token.type === "space" && token.raw.includes("\n\n") && later) {
        this.#frozen.push(...open.splice(0));
        this.#frozenLength = length;
      }
    }
    return [...this.#frozen, ...open];
  }

  #forget() {
    this.#frozen = [];
    this.#frozenLength = 0;
  }
}
