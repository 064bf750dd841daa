// One session: why it waits, and its live turns in the order in which they will run.
import { html } from "../shared/ui.js";
import { TurnTable } from "./turn_table.js";
import { Ago } from "./times.js";

export function SessionView({ data }) {
  if (!data) return null;
  return html`
    <${Reasons} why=${data.why} />
    <h2>Its queue</h2>
    <${TurnTable} label="Live turns of this session" turns=${data.turns} isOneSession empty="No turn of this session runs or waits." />`;
}

function Reasons({ why }) {
  if (!why.length) return html`<p class="why">Nothing waits in this session.</p>`;
  return html`<ul class="why" aria-label="Why it waits">
    ${why.map(
      ({ reason, message, until }) => html`<li key=${reason}>${message}${until && html` <b><${Ago} at=${until} /></b>`}
        <code>${reason}</code></li>`,
    )}
  </ul>`;
}
