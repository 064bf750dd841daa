// One field of a form. The form reads the values by name with `FormData`.
import { html } from "../../shared/ui.js";

export const REASON = { name: "reason", label: "Reason", help: "Optional. Recorded in the audit log.", maxlength: 200 };

// `type` is that of an input, or "select" with `options`: `[[value, label]]`. `attributes` are those of HTML, for example
// `required`, `min`, `maxlength`, `placeholder`.
export function Field({ name, label, help, type = "text", value = "", options, ...attributes }) {
  const id = `field-${name}`;
  const shared = { id, name, "aria-describedby": help && `${id}-help`, ...attributes };
  return html`<p class="field"><label for=${id}>${label}</label>
    ${type === "select"
      ? html`<select ...${shared}>${options.map(([each, text]) => html`<option key=${each} value=${each} selected=${each === value}>${text}</option>`)}</select>`
      : html`<input ...${shared} type=${type} defaultValue=${value} autocomplete="off" spellcheck=${false} />`}
    ${help && html`<small id=${`${id}-help`}>${help}</small>`}</p>`;
}
