// One session: why it is waiting, and its live turns in the order in which they will run.
import { html } from "../shared/ui.js";
import { cancelSession } from "./actions.js";
import { RelativeTime } from "./time.js";
import { TurnTable } from "./turn_table.js";

export function SessionView({ page, route: { tenant, session_id, user_id }, data }) {
  if (!data) return null;
  return html`
    <${WaitReasons} reasons=${data.why} />
    <h2>Queue</h2>
    <${TurnTable} label="Live turns of this session" turns=${data.turns} isOneSession empty="No turn of this session is running or waiting." />
    ${data.turns.length > 0 && page.canAct && html`<p><button type="button"
      onClick=${() => page.act(cancelSession({ tenant, session_id, user_id }, data.turns.length))}>Cancel all turns</button></p>`}`;
}

function WaitReasons({ reasons }) {
  if (!reasons.length) return html`<p class="why">No turn of this session is waiting.</p>`;
  return html`<ul class="why" aria-label="Why it is waiting">
    ${reasons.map(
      ({ reason, message, until }) => html`<li key=${reason}>${message}${until && html` <b>(<${RelativeTime} at=${until} suffix=" ago" />)</b>`}
        <code>${reason}</code></li>`,
    )}
  </ul>`;
}
