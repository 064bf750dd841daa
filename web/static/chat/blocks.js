// Splits a growing answer into Markdown blocks. Blocks that can no longer change are kept, so that each new piece of text
// costs only the parsing of the last block.
import { lex } from "./syntax.js";

export class BlockSplitter {
  #text = "";
  #finished = [];
  #finishedLength = 0;

  // Return the blocks of the text. Only the last one may still change when text is appended.
  split(text) {
    const normal = text.replaceAll("\r\n", "\n").replaceAll("\r", "\n"); // `marked` does the same; otherwise lengths would differ
    if (!normal.startsWith(this.#text)) this.#reset();
    this.#text = normal;
    const tokens = lex(normal.slice(this.#finishedLength));
    const open = [];
    let length = this.#finishedLength;
    for (const [at, token] of tokens.entries()) {
      length += token.raw.length;
      if (token.type !== "space") open.push(token.raw);
      // A block is finished once a blank line and another block follow it. Until then the next line may still extend it.
      const hasNext = tokens.slice(at + 1).some((next) => next.type !== "space");
      if (token.type === "space" && token.raw.includes("\n\n") && hasNext) {
        this.#finished.push(...open.splice(0));
        this.#finishedLength = length;
      }
    }
    return [...this.#finished, ...open];
  }

  #reset() {
    this.#finished = [];
    this.#finishedLength = 0;
  }
}
