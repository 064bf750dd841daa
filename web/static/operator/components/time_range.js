// Links that select the time range of the plots.
import { html } from "../../shared/ui.js";
import { minutesOf, TIME_RANGES, urlOf } from "../route.js";

export function TimeRangeNav({ route }) {
  return html`<nav class="time-range" aria-label="Time range of the plots">
    ${Object.entries(TIME_RANGES).map(
      ([minutes, label]) => html`<a key=${minutes} aria-current=${minutes === minutesOf(route) ? "true" : null}
        href=${urlOf({ view: "overview", minutes })}>${label}</a>`,
    )}
  </nav>`;
}
