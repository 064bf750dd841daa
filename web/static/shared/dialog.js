// A modal dialog that is open as long as it is rendered. Escape closes it, and the focus returns to where it was.
import { Component, createRef, html } from "./ui.js";

export class Dialog extends Component {
  #dialog = createRef();
  #isRemoved = false;

  componentDidMount() {
    this.#dialog.current.showModal();
  }

  // Closing returns the focus. The event of that comes later and is not another decision of the user.
  componentWillUnmount() {
    this.#isRemoved = true;
    this.#dialog.current.close();
  }

  render({ title, onClose, children }) {
    return html`<dialog ref=${this.#dialog} aria-labelledby="dialog-title" onClose=${() => this.#isRemoved || onClose()}>
      <h2 id="dialog-title">${title}</h2>
      ${children}
    </dialog>`;
  }
}
