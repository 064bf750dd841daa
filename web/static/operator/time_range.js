// Links that select the time range of the plots.
import { html } from "../shared/ui.js";
import { TIME_RANGES, urlOf } from "./route.js";

export function TimeRangeNav({ route }) {
  const current = route.minutes ?? "15";
  return html`<nav class="time-range" aria-label="Time range of the plots">
    ${Object.entries(TIME_RANGES).map(
      ([minutes, label]) => html`<a key=${minutes} aria-current=${minutes === current ? "true" : null}
        href=${urlOf({ view: "overview", minutes: minutes === "15" ? null : minutes })}>${label}</a>`,
    )}
  </nav>`;
}
