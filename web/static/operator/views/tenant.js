// One tenant: its turns, its limits, and the author of these.
import { html } from "../../shared/ui.js";
import { pause, resume } from "../actions/pauses.js";
import { removeLimits, setLimits } from "../actions/tenants.js";
import { ActionButton } from "../components/action_button.js";
import { Table } from "../components/table.js";
import { LIMITS } from "../format/labels.js";
import { Instant, RelativeTime } from "../format/time.js";
import { urlOf } from "../route.js";

export function TenantView({ page, data }) {
  if (!data) return null;
  return html`
    <${Activity} tenant=${data} />
    <${Pause} page=${page} tenant=${data} />
    <h2>Limits</h2>
    <${OwnLimits} own=${data.own_limits} />
    <${LimitTable} tenant=${data} />
    <p class="row-actions"><${ActionButton} page=${page} action=${setLimits(data)} />
      ${data.own_limits && html`<${ActionButton} page=${page} action=${removeLimits(data)} />`}</p>`;
}

function Activity({ tenant: { tenant, ...numbers } }) {
  const facts = {
    "Live turns": html`${numbers.live_turns.toLocaleString("en")} <a href=${urlOf({ view: "live", tenant })}>Show them</a>`,
    Running: numbers.running_turns.toLocaleString("en"),
    Waiting: numbers.waiting_turns.toLocaleString("en"),
    "Longest wait": numbers.waiting_since ? html`<${RelativeTime} at=${numbers.waiting_since} />` : "none",
    Accepted: `${numbers.accepted_per_minute.toLocaleString("en")} per minute, in the last 5 minutes`,
    Failed: html`${numbers.failed_turns.toLocaleString("en")} in the last 5 minutes <a href=${urlOf({ view: "failed", tenant })}>Show all failed turns</a>`,
    "Tokens today": tokensText(numbers),
  };
  return html`<dl class="facts">
    ${Object.entries(facts).map(([name, fact]) => html`<div key=${name}><dt>${name}</dt><dd>${fact}</dd></div>`)}
  </dl>`;
}

function tokensText({ tokens_today, counted_tokens }) {
  const counted = counted_tokens === null ? "" : `; ${counted_tokens.toLocaleString("en")} used or reserved of its limit`;
  return `${tokens_today.toLocaleString("en")}${counted}`;
}

function Pause({ page, tenant: { tenant, pause: current } }) {
  const part = { kind: "tenant", name: tenant };
  if (!current) return html`<p><${ActionButton} page=${page} action=${pause(part)} /></p>`;
  return html`<p class="why">Paused for <${RelativeTime} at=${current.since} />,
    ${current.until ? html` until <${Instant} at=${current.until} hasDate />` : " until it is resumed"}.
    ${current.reason && html` Reason: ${current.reason}`} <${ActionButton} page=${page} action=${resume(part)} isSmall /></p>`;
}

function OwnLimits({ own }) {
  if (!own) return html`<p class="summary">The limits of the settings apply.</p>`;
  const author = own.set_by ? html`the key <code>${own.set_by}</code>` : "a caller without a key";
  return html`<p class="why">Set <${RelativeTime} at=${own.set_at} suffix=" ago" /> by ${author},
    ${own.until ? html` until <${Instant} at=${own.until} hasDate /> (<${RelativeTime} at=${own.until} />)` : " until they are reset"}.
    ${own.reason && html` Reason: ${own.reason}`}</p>`;
}

function LimitTable({ tenant: { limits, own_limits } }) {
  const columns = [
    { head: "Limit", cell: ([, { label }]) => label },
    { head: "Value", isNumber: true, cell: ([name]) => (limits[name] ? limits[name].toLocaleString("en") : "unlimited") },
    { head: "From", cell: ([name]) => ((own_limits?.[name] ?? null) === null ? "settings" : html`<b>own</b>`) },
  ];
  return html`<${Table} label="Limits" columns=${columns} rows=${Object.entries(LIMITS)} keyOf=${([name]) => name} />`;
}
