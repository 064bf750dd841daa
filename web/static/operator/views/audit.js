// The acts of operators, or the refused requests of callers, newest first.
import { Component, html } from "../../shared/ui.js";
import { TimeFilter, withZone } from "../components/field.js";
import { Pagination } from "../components/pagination.js";
import { Table } from "../components/table.js";
import { TurnLink } from "../components/turn_table.js";
import { tenantLabel } from "../format/labels.js";
import { RelativeTime } from "../format/time.js";
import { urlOf } from "../route.js";

const PERIOD = { since: "From, UTC", until: "Until, UTC" };
const TURN_ID = /^turn_[0-9a-f]{32}$/;

export function AuditView({ page, route, data }) {
  return html`
    <${Filters} key=${urlOf(route)} page=${page} route=${route} />
    ${data && html`
      <${Table} label="Audit log" columns=${COLUMNS} rows=${data.data} keyOf=${({ id }) => id} empty=${emptyText(route, data)} />
      <${Pagination} route=${route} after=${data.after} />`}`;
}

class Filters extends Component {
  render({ page, route }) {
    const open = (changes) => page.open({ ...route, after: null, ...changes });
    const submit = (event) => {
      event.preventDefault();
      open(withZone(Object.fromEntries(new FormData(event.target)), Object.keys(PERIOD)));
    };
    return html`<form class="filters" role="search" aria-label="Audit log" onSubmit=${submit}>
      <label>Show <select name="outcome" value=${route.outcome ?? ""} onChange=${({ target }) => open({ outcome: target.value })}>
        <option value="">what was done</option><option value="refused">what was refused</option>
      </select></label>
      <label>Key <input name="key_id" defaultValue=${route.key_id ?? ""} maxlength="64" placeholder="all" /></label>
      <label>Tenant <input name="tenant" defaultValue=${route.tenant ?? ""} maxlength="128" placeholder="all" /></label>
      <label>Action <input name="action" defaultValue=${route.action ?? ""} maxlength="64" placeholder="all" /></label>
      <label>Object contains <input name="what" defaultValue=${route.what ?? ""} maxlength="1024" placeholder="id or name" /></label>
      ${Object.entries(PERIOD).map(([name, label]) => html`<${TimeFilter} key=${name} name=${name} label=${label} value=${route[name]} />`)}
      <button type="submit">Filter</button>
      ${Object.keys(route).length > 1 && html`<a href=${urlOf({ view: "audit" })}>Clear filters</a>`}
    </form>`;
  }
}

const COLUMNS = [
  { head: "When", isNumber: true, cell: ({ at }) => html`<${RelativeTime} at=${at} suffix=" ago" />` },
  { head: "Action", cell: ({ action }) => action.replaceAll("_", " ") },
  { head: "Object", cell: (entry) => html`<${Target} ...${entry} />` },
  { head: "Key", cell: (entry) => html`<${Actor} ...${entry} />` },
  { head: "Reason", cell: ({ reason }) => reason || null },
  { head: "Details", cell: ({ details }) => detailsText(details) || null },
];

function Target({ what, target_tenant }) {
  const name = TURN_ID.test(what) ? html`<${TurnLink} id=${what} />` : html`<span class="id">${what}</span>`;
  return html`${name}${target_tenant && target_tenant !== "-" && html` <span class="owner">${target_tenant}</span>`}`;
}

function Actor({ key_id, tenant }) {
  if (!key_id) return tenant ? "without a key" : "a command";
  return html`<a class="id" href=${urlOf({ view: "audit", key_id })}>${key_id}</a>${tenant && html` <span class="owner">${tenantLabel(tenant)}</span>`}`;
}

const detailsText = (details) => Object.entries(details).map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`).join(", ");

// A page may be empty although older ones have matches.
function emptyText({ outcome }, { after }) {
  if (after) return "Nothing on this page matches. Older entries may.";
  return outcome === "refused" ? "Nothing that matches was refused within 90 days." : "Nothing that matches was done within 90 days.";
}
