// Messages above the view: the key form, pauses, stale data, and the result of the last action.
import { KeyForm } from "../../shared/api_key.js";
import { copyWithFeedback } from "../../shared/clipboard.js";
import { html } from "../../shared/ui.js";
import { liftHold } from "../actions/service.js";
import { pluralize } from "../format/labels.js";
import { formatTime, Instant, RelativeTime } from "../format/time.js";
import { urlOf } from "../route.js";
import { ActionButton } from "./action_button.js";
import { PauseBanner } from "./pause_banner.js";

export function Banners({ page }) {
  const { keyPrompt, stats } = page.state;
  return html`<div class="banners">
    ${keyPrompt && html`<${KeyForm} prompt=${keyPrompt} />`}
    ${stats?.missing_partitions?.length > 0 && html`<${MissingBanner} partitions=${stats.missing_partitions} />`}
    ${stats?.pauses.length > 0 && html`<${PauseBanner} page=${page} pauses=${stats.pauses} />`}
    ${(stats?.holds ?? []).map((hold) => html`<${HoldBanner} key=${hold.name} page=${page} hold=${hold} />`)}
  </div>`;
}

export function StaleNotice({ state: { error, updatedAt } }) {
  return error && updatedAt && html`<p class="banner trouble stale-notice">The data below is from ${formatTime(updatedAt)} UTC.</p>`;
}

function MissingBanner({ partitions }) {
  return html`<p class="banner trouble missing">All lists and numbers lack what is in ${pluralize(partitions.length, "partition", "partitions")} of the store
    (${partitions.join(", ")}): ${partitions.length === 1 ? "it is" : "they are"} away.</p>`;
}

function HoldBanner({ page, hold }) {
  const { model, code, reason, since, until, is_reopening, held_turns } = hold;
  const why = reason === "rate_limited" ? "is paused by its provider" : `does not answer (${code})`;
  return html`<div class="banner trouble held"><p><b>${model} ${is_reopening ? "answers again" : why}</b> (for <${RelativeTime} at=${since} />):
    ${" "}${pluralize(held_turns, "turn waits", "turns wait")}. ${is_reopening ? "They start one after another." : html`One turn tries again at <${Instant} at=${until} />.`}</p>
    <${ActionButton} page=${page} action=${liftHold(hold)} /></div>`;
}

export function Notice({ page }) {
  const { notice } = page.state;
  return html`<div class="notice" role="status">
    ${notice && html`<p class=${notice.isError ? "trouble" : "done"}>${notice.message}
      ${notice.turn && html` <a href=${urlOf({ view: "turn", id: notice.turn })}>${notice.turn}</a>`}
      ${notice.job && html` <a href=${urlOf({ view: "jobs", id: notice.job })}>Bulk acts</a>`}
      ${notice.action && html` <${ActionButton} page=${page} action=${notice.action} isSmall />`}
      ${notice.secret && html` <${Secret} text=${notice.secret} />`}
      <button type="button" class="quiet" onClick=${() => page.update({ notice: null })}>Close</button></p>`}
  </div>`;
}

// A text that is shown once, until the notice is closed.
function Secret({ text }) {
  return html`<code class="secret">${text}</code>
    <button type="button" class="quiet" aria-label="Copy the key" onClick=${({ currentTarget }) => copyWithFeedback(currentTarget, text)}>Copy</button>`;
}
