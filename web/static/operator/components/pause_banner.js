// The banner that lists the paused parts of the service, on every view.
import { serverNow } from "../../shared/http.js";
import { html } from "../../shared/ui.js";
import { resume } from "../actions/pauses.js";
import { partLabel, pluralize, SWITCHES } from "../format/labels.js";
import { formatDuration, RelativeTime } from "../format/time.js";
import { ActionButton } from "./action_button.js";

export function PauseBanner({ page, pauses }) {
  return html`<div class="banner trouble paused"><ul class="switches">
    ${pauses.map((pause) => html`<li key=${partLabel(pause)}><p><${PauseText} ...${pause} /></p>
      ${!pause.is_over && html`<${ActionButton} page=${page} action=${resume(pause)} />`}</li>`)}
  </ul></div>`;
}

function PauseText(pause) {
  const { kind, by, reason, since, until, is_over, waiting_turns } = pause;
  const waiting = kind !== "intake" && ` ${pluralize(waiting_turns, "turn waits", "turns wait")}.`;
  if (is_over) return html`<b>${title(pause)} resumed</b>.${waiting} They start one after another, oldest first.`;
  const effect = SWITCHES[kind] && ` While paused, ${SWITCHES[kind].effect}.`;
  const end = until ? ` It ends in ${formatDuration((Date.parse(until) - serverNow()) / 1000)}.` : " No end is set.";
  return html`<b>${title(pause)} paused</b> for <${RelativeTime} at=${since} />${by && html` by <span class="id">${by}</span>`}${reason && `: ${reason}`}.${waiting}${end}${effect}`;
}

const title = (part) => partLabel(part).replace(/^./, (letter) => letter.toUpperCase());
