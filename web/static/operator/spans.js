// Of which time the plots tell.
import { html } from "../shared/ui.js";
import { addressOf, SPANS } from "./place.js";

export function Spans({ place }) {
  const shown = place.minutes ?? "15";
  return html`<nav class="spans" aria-label="Time that the plots show">
    ${Object.entries(SPANS).map(
      ([minutes, words]) => html`<a key=${minutes} aria-current=${minutes === shown ? "true" : null}
        href=${addressOf({ view: "overview", minutes: minutes === "15" ? null : minutes })}>${words}</a>`,
    )}
  </nav>`;
}
