// Links to the next page of a list, and back to its first one.
import { html } from "../../shared/ui.js";
import { urlOf } from "../route.js";

export function Pagination({ route, after }) {
  return html`<p class="pages">
    ${route.after && html`<a href=${urlOf({ ...route, after: null })}>Newest</a>`}
    ${after !== null && html`<a href=${urlOf({ ...route, after })}>Older</a>`}
  </p>`;
}
