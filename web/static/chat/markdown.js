// An answer on the page: a component for all of it, and one for each block.
import { Blocks } from "./blocks.js";
import { copyAndSay } from "../shared/clipboard.js";
import { highlight } from "./highlight.js";
import { fragmentOf } from "./sanitise.js";
import { Component, createRef, html } from "../shared/ui.js";

export class Markdown extends Component {
  #blocks = new Blocks();

  shouldComponentUpdate(next) {
    return next.text !== this.props.text || next.isOpen !== this.props.isOpen;
  }

  render({ text, isOpen }) {
    const blocks = this.#blocks.of(text);
    return html`<div class="markdown">
      ${blocks.map((block, at) => html`<${Block} key=${at} text=${block} isOpen=${isOpen && at === blocks.length - 1} />`)}
    </div>`;
  }
}

class Block extends Component {
  #place = createRef();

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
    const fragment = fragmentOf(this.props.text);
    fragment.querySelectorAll("pre").forEach((pre) => frame(pre, this.props.isOpen));
    fragment.querySelectorAll("table").forEach(letScroll);
    this.#place.current.replaceChildren(fragment);
  }

  render() {
    return html`<div class="block" ref=${this.#place}></div>`;
  }
}

// Code gets its language's name, a button that copies it, and colours once it is whole.
function frame(pre, isOpen) {
  const code = pre.querySelector("code") ?? pre;
  const language = code.className.replace("language-", "");
  if (!isOpen) highlight(code);
  const head = element("div", "code-head", element("span", "", language || "code"));
  if (!isOpen) {
    const button = element("button", "quiet", "Copy code");
    button.type = "button";
    button.addEventListener("click", () => copyAndSay(button, code.textContent));
    head.append(button);
  }
  const box = element("div", "code");
  pre.replaceWith(box);
  pre.tabIndex = 0; // it may scroll, and then the keyboard must reach it
  pre.setAttribute("role", "region");
  pre.setAttribute("aria-label", `Code${language && `, ${language}`}`);
  box.append(head, pre);
}

function letScroll(table) {
  const box = element("div", "scroll");
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", "Table");
  table.replaceWith(box);
  box.append(table);
}

function element(name, className, ...children) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
}
