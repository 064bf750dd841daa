// One session: why it is waiting, its live turns in the order in which they will run, and its last turns.
import { html } from "../../shared/ui.js";
import { cancelSession } from "../actions/turns.js";
import { ActionButton } from "../components/action_button.js";
import { FoundTurns } from "../components/found_turns.js";
import { TurnTable } from "../components/turn_table.js";
import { RelativeTime } from "../format/time.js";

export function SessionView({ page, route: { tenant, session_id, user_id }, data }) {
  if (!data) return null;
  return html`
    <${WaitReasons} reasons=${data.why} />
    <h2>Queue</h2>
    <${TurnTable} label="Live turns of this session" turns=${data.turns} isOneSession empty="No turn of this session is running or waiting." />
    ${data.turns.length > 0 && html`<p><${ActionButton} page=${page} action=${cancelSession({ tenant, session_id, user_id }, data.turns.length)} /></p>`}
    <h2>Last turns</h2>
    <${FoundTurns} label="Last turns of this session" turns=${data.last} isOneSession empty="No turn of this session is kept." />`;
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
