// All tenants: how much each of them runs and waits, and its own limits.
import { html } from "../../shared/ui.js";
import { Empty } from "../components/empty.js";
import { Table } from "../components/table.js";
import { LIMITS, tenantLabel } from "../format/labels.js";
import { RelativeTime } from "../format/time.js";
import { urlOf } from "../route.js";

const ORDERS = { live: "most live turns first", waiting: "longest wait first" };

const formatCount = (number) => (number === null ? null : number.toLocaleString("en"));

const COLUMNS = [
  { head: "Tenant", cell: ({ tenant }) => html`<a href=${urlOf({ view: "tenant", tenant })}>${tenantLabel(tenant)}</a>` },
  { head: "Live", isNumber: true, cell: ({ live_turns }) => formatCount(live_turns) },
  { head: "Running", isNumber: true, cell: ({ running_turns }) => formatCount(running_turns) },
  { head: "Waiting", isNumber: true, cell: ({ waiting_turns }) => formatCount(waiting_turns) },
  { head: "Longest wait", isNumber: true, cell: ({ waiting_since: at }) => at && html`<${RelativeTime} at=${at} />` },
  { head: "Accepted per minute", isNumber: true, cell: ({ accepted_per_minute }) => formatCount(accepted_per_minute) },
  { head: "Failed, 5 min", isNumber: true, cell: ({ failed_turns }) => failed_turns || null },
  { head: "Tokens today", isNumber: true, cell: ({ tokens_today }) => formatCount(tokens_today) },
  { head: "State", cell: (tenant) => stateText(tenant) },
];

export function TenantsView({ route, data }) {
  if (!data) return null;
  const order = route.sort ?? "live";
  return html`
    <p class="summary">Tenants with live turns, own limits, or turns accepted within a day:
      ${" "}${Object.entries(ORDERS).map(
        ([sort, label]) => html`<${OrderLink} key=${sort} sort=${sort} label=${label} isCurrent=${sort === order} /> `,
      )}</p>
    ${(!data.are_all || data.found > data.data.length) && html`<p class="summary">There are more tenants or live turns than this list shows.</p>`}
    <${Table} label="Tenants" columns=${COLUMNS} rows=${data.data} keyOf=${({ tenant }) => tenant}
      empty=${html`<${Empty} next=${[{ label: "Live turns", to: { view: "live" } }]}>No tenant has submitted a turn within a day.</${Empty}>`} />`;
}

function OrderLink({ sort, label, isCurrent }) {
  if (isCurrent) return html`<b>${label}</b>`;
  return html`<a href=${urlOf({ view: "tenants", sort })}>${label}</a>`;
}

// Return that the tenant is paused, and its own limits; null without any.
function stateText({ pause, own_limits: own }) {
  const set = Object.entries(LIMITS).filter(([name]) => (own?.[name] ?? null) !== null);
  const limits = set.map(([name, { short }]) => `${short} ${own[name] || "unlimited"}`);
  return [...(pause ? ["paused"] : []), ...limits].join(", ") || null;
}
