// Renders the Markdown of an answer, block by block, so that finished blocks are not rendered again.
import { copyWithFeedback } from "../shared/clipboard.js";
import { Component, createRef, html } from "../shared/ui.js";
import { BlockSplitter } from "./blocks.js";
import { highlight } from "./highlight.js";
import { renderMarkdown } from "./sanitise.js";

export class Markdown extends Component {
  #splitter = new BlockSplitter();

  shouldComponentUpdate(next) {
    return next.text !== this.props.text || next.isOpen !== this.props.isOpen;
  }

  render({ text, isOpen }) {
    const blocks = this.#splitter.split(text);
    return html`<div class="markdown">
      ${blocks.map((block, at) => html`<${Block} key=${at} text=${block} isOpen=${isOpen && at === blocks.length - 1} />`)}
    </div>`;
  }
}

class Block extends Component {
  #element = createRef();

  shouldComponentUpdate(next) {
    return next.text !== this.props.text || next.isOpen !== this.props.isOpen;
  }

  componentDidMount() {
    this.#fill();
  }

  componentDidUpdate() {
    this.#fill();
  }

  #fill() {
    const fragment = renderMarkdown(this.props.text);
    fragment.querySelectorAll("pre").forEach((pre) => addCodeHeader(pre, this.props.isOpen));
    fragment.querySelectorAll("table").forEach(makeScrollable);
    this.#element.current.replaceChildren(fragment);
  }

  render() {
    return html`<div class="block" dir="auto" ref=${this.#element}></div>`;
  }
}

// Add the language, a copy button, and highlighting. The last two wait until the code is complete.
function addCodeHeader(pre, isOpen) {
  const code = pre.querySelector("code") ?? pre;
  const language = code.className.replace("language-", "");
  if (!isOpen) highlight(code);
  const head = element("div", "code-head", element("span", "", language || "code"));
  if (!isOpen) {
    const button = element("button", "quiet", "Copy code");
    button.type = "button";
    button.addEventListener("click", () => copyWithFeedback(button, code.textContent));
    head.append(button);
  }
  const box = element("div", "code");
  box.dir = "ltr"; // also in an answer that is written from right to left
  pre.replaceWith(box);
  pre.tabIndex = 0; // a scrollable element must be reachable by keyboard
  pre.setAttribute("role", "region");
  pre.setAttribute("aria-label", `Code${language && `, ${language}`}`);
  box.append(head, pre);
}

function makeScrollable(table) {
  const box = element("div", "scroll");
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", "Table");
  table.replaceWith(box);
  box.append(table);
}

function element(name, className, ...children) {
  const created = document.createElement(name);
  created.className = className;
  created.append(...children);
  return created;
}
