// Asks before something is done to many, with what exactly would be done. Escape, and the button in focus, do nothing.
import { Component, createRef, html } from "../shared/ui.js";

export class Question extends Component {
  #sheet = createRef();

  componentDidMount() {
    this.#sheet.current.showModal();
  }

  render({ asked, isActing, onAnswer }) {
    return html`<dialog ref=${this.#sheet} class="question" aria-labelledby="question" onClose=${() => onAnswer(false)}>
      <h2 id="question">${asked.question}</h2>
      <p>${asked.about}</p>
      <p class="answers">
        <button type="button" autofocus onClick=${() => onAnswer(false)}>Leave it</button>
        <button type="button" class="yes" disabled=${isActing} onClick=${() => onAnswer(true)}>${asked.yes}</button>
      </p>
    </dialog>`;
  }
}
