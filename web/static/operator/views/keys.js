// The API keys of all tenants, newest first; those that have ended stay for 90 days.
import { commands } from "../../shared/commands.js";
import { html } from "../../shared/ui.js";
import { createKey, revokeKey, rotateKey } from "../actions/keys.js";
import { ActionButton } from "../components/action_button.js";
import { Empty } from "../components/empty.js";
import { Pagination } from "../components/pagination.js";
import { Table } from "../components/table.js";
import { StatusLabel } from "../components/turn_table.js";
import { tenantLabel } from "../format/labels.js";
import { RelativeTime } from "../format/time.js";
import { urlOf } from "../route.js";

const NEEDED = ["admin", "operator"]; // without an active key of these, nothing can be repaired on this page
const STATES = { active: "answering", expired: "queued", revoked: "cancelled" };

export function KeysView({ page, route, data }) {
  if (!data) return null;
  if (!data.data.length && !route.after) return html`<${NoKeys} />`;
  const columns = [...COLUMNS, { head: "Actions", cell: (key) => html`<${Actions} page=${page} id=${key} keys=${data.data} />` }];
  return html`
    <p><${ActionButton} page=${page} action=${createKey()} /></p>
    <${Table} label="API keys" columns=${columns} rows=${data.data} keyOf=${({ id }) => id} empty="No older key." />
    <${Pagination} route=${route} after=${data.after} />`;
}

function NoKeys() {
  return html`<${Empty} next=${[{ label: "Audit log", to: { view: "audit" } }]}>No API key exists, so requests need none. Create the first one
    on the machine of the service: <code>${commands.createKey}</code>. For one that manages the others, give it the scopes <code>admin,operator</code>.</${Empty}>`;
}

const COLUMNS = [
  { head: "Key", cell: ({ id, label }) => html`<a class="id" href=${urlOf({ view: "audit", key_id: id })} title="What was done with it">${id}</a> <span class="owner">${label}</span>` },
  { head: "State", cell: (key) => html`<${State} ...${key} />` },
  { head: "Tenant", cell: ({ tenant }) => tenantLabel(tenant) },
  { head: "Scopes", cell: ({ scopes }) => scopes.join(", ") },
  { head: "Last used", isNumber: true, cell: ({ last_used_at: at }) => at && html`<${RelativeTime} at=${at} suffix=" ago" />` },
  { head: "Created", cell: (key) => html`<${Creation} ...${key} />` },
  { head: "Expires", isNumber: true, cell: ({ state, expires_at: at }) => (at && state === "active" ? html`<${RelativeTime} at=${at} suffix=" ago" />` : null) },
];

function State({ state, revoked_at, expires_at, replaced_by }) {
  const ended_at = { revoked: revoked_at, expired: expires_at }[state];
  const label = ended_at ? html`${state} <${RelativeTime} at=${ended_at} suffix=" ago" />` : state;
  return html`<${StatusLabel} state=${STATES[state] ?? "queued"} label=${label} />${replaced_by && html` <span class="owner">replaced by <span class="id">${replaced_by}</span></span>`}`;
}

function Creation({ created_at, created_by }) {
  return html`<${RelativeTime} at=${created_at} suffix=" ago" /> <span class="owner">by ${created_by ? html`<span class="id">${created_by}</span>` : "a command"}</span>`;
}

function Actions({ page, id: key, keys }) {
  if (key.state !== "active") return null;
  return html`<span class="row-actions">
    <${ActionButton} page=${page} action=${rotateKey(key)} of=${key.id} isSmall />
    <${ActionButton} page=${page} action=${revokeKey(key, lastScopeOf(key, keys))} of=${key.id} isSmall />
  </span>`;
}

// Return a needed scope that no other active key of this page has. The service checks all keys.
function lastScopeOf(key, keys) {
  const others = keys.filter(({ id, state }) => id !== key.id && state === "active");
  return NEEDED.find((scope) => key.scopes.includes(scope) && !others.some(({ scopes }) => scopes.includes(scope)));
}
