// Confirm an action and show exactly what it will do, with a form if it has fields. Escape and "Back" do nothing.
import { Dialog } from "../../shared/dialog.js";
import { Component, html } from "../../shared/ui.js";
import { Field } from "./field.js";

export class ConfirmDialog extends Component {
  render({ action, isActing, error, onClose }, { hasConsent = !action.consent }) {
    const { title, description, fields = [], consent } = action;
    const mustFill = fields.some(({ required }) => required);
    return html`<${Dialog} title=${title} onClose=${() => onClose(null)}>
      <form onSubmit=${(event) => submit(event, onClose)}>
        <p>${description}</p>
        ${fields.map((field, n) => html`<${Field} key=${field.name} ...${field} autofocus=${mustFill && n === 0} />`)}
        ${consent && html`<p><label><input type="checkbox" checked=${hasConsent}
          onChange=${({ target }) => this.setState({ hasConsent: target.checked })} /> ${consent}</label></p>`}
        ${error && html`<p class="trouble" role="alert">${error}</p>`}
        <p class="dialog-actions">
          <button type="button" autofocus=${!mustFill} onClick=${() => onClose(null)}>Back</button>
          <${ConfirmButton} action=${action} isActing=${isActing} isDisabled=${isActing || !hasConsent} />
        </p>
      </form>
    </${Dialog}>`;
  }
}

function ConfirmButton({ action, isActing, isDisabled }) {
  const kind = action.isDestructive ? "danger" : "";
  return html`<button type="submit" class=${`primary ${kind}`} aria-busy=${isActing} disabled=${isDisabled}>
    ${isActing ? "Working…" : action.confirmLabel}</button>`;
}

// Fields without a value are left out.
function submit(event, onClose) {
  event.preventDefault();
  onClose(Object.fromEntries([...new FormData(event.target)].filter(([, value]) => value !== "")));
}
