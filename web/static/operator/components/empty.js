// Shown where a view has nothing to list: why, and links to what the reader can do next, so that no search is a dead end.
import { html } from "../../shared/ui.js";
import { urlOf } from "../route.js";

// `next`: `[{ label, to }]`, where `to` is a route.
export function Empty({ children, next = [] }) {
  return html`<div class="empty"><p>${children}</p>
    ${next.length > 0 && html`<ul>${next.map(({ label, to }) => html`<li key=${label}><a href=${urlOf(to)}>${label}</a></li>`)}</ul>`}
  </div>`;
}
