// Confirm an action and show exactly what it will do. Escape and the button with the initial focus cancel. An action with
// a `consent` needs a check mark at this sentence first.
import { Component, createRef, html } from "../shared/ui.js";

export class ConfirmDialog extends Component {
  #dialog = createRef();

  componentDidMount() {
    this.#dialog.current.showModal();
  }

  render({ action, isActing, onClose }, { hasConsent = !action.consent }) {
    return html`<dialog ref=${this.#dialog} aria-labelledby="dialog-title" onClose=${() => onClose(false)}>
      <h2 id="dialog-title">${action.title}</h2>
      <p>${action.description}</p>
      ${action.consent && html`<p><label><input type="checkbox" checked=${hasConsent}
        onChange=${({ target }) => this.setState({ hasConsent: target.checked })} /> ${action.consent}</label></p>`}
      <p class="dialog-actions">
        <button type="button" autofocus onClick=${() => onClose(false)}>Cancel</button>
        <button type="button" class="confirm" disabled=${isActing || !hasConsent} onClick=${() => onClose(true)}>${action.confirmLabel}</button>
      </p>
    </dialog>`;
  }
}
