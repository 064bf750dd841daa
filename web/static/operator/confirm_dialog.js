// Confirm an action and show exactly what it will do. Escape and the button with the initial focus cancel. An action with
// a `consent` needs a check mark at this sentence first.
import { Dialog } from "../shared/dialog.js";
import { Component, html } from "../shared/ui.js";

export class ConfirmDialog extends Component {
  render({ action, isActing, onClose }, { hasConsent = !action.consent }) {
    return html`<${Dialog} title=${action.title} onClose=${() => onClose(false)}>
      <p>${action.description}</p>
      ${action.consent && html`<p><label><input type="checkbox" checked=${hasConsent}
        onChange=${({ target }) => this.setState({ hasConsent: target.checked })} /> ${action.consent}</label></p>`}
      <p class="dialog-actions">
        <button type="button" autofocus onClick=${() => onClose(false)}>Back</button>
        <button type="button" class="primary" disabled=${isActing || !hasConsent} onClick=${() => onClose(true)}>${action.confirmLabel}</button>
      </p>
    </${Dialog}>`;
  }
}
