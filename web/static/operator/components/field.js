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

// A filter for a time in UTC.
export function TimeFilter({ name, label, value }) {
  return html`<label>${label} <input type="datetime-local" name=${name} defaultValue=${(value ?? "").slice(0, 16)} /></label>`;
}

// The browser's field of a time has no zone; the page shows times in UTC.
export function withZone(given, names) {
  const times = names.filter((name) => given[name]);
  return { ...given, ...Object.fromEntries(times.map((name) => [name, `${given[name].slice(0, 16)}:00Z`])) };
}
