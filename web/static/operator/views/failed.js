// Unresolved failed turns of all tenants: grouped by code with advice, and one by one.
import { html } from "../../shared/ui.js";
import { actOnMatching, actOnSelected, discard } from "../actions/jobs.js";
import { retry } from "../actions/turns.js";
import { ActionButton } from "../components/action_button.js";
import { Selection } from "../components/selection.js";
import { Pagination } from "../components/pagination.js";
import { Table } from "../components/table.js";
import { SessionLink, TurnLink } from "../components/turn_table.js";
import { ADVICE, lossNote } from "../format/labels.js";
import { RelativeTime } from "../format/time.js";
import { urlOf } from "../route.js";

export function FailedView({ page, route, stats, data }) {
  return html`
    ${stats && html`<${FailuresByCode} page=${page} byCode=${stats.failed_by_code} />`}
    <h2>${route.code ? html`Failed with <code>${route.code}</code>, newest first` : "Failed turns, newest first"}</h2>
    <${Filters} key=${urlOf(route)} page=${page} route=${route} />
    ${data && html`
      <${SelectableTurns} key=${urlOf({ ...route, after: null })} page=${page} route=${route} turns=${data.data} />
      <${Pagination} route=${route} after=${data.after} />`}`;
}

const FILTERS = { tenant: "Tenant", user_id: "User", session_id: "Session", assistant: "Assistant", model: "Model" };

function Filters({ page, route }) {
  const submit = (event) => {
    event.preventDefault();
    const given = [...new FormData(event.target)].filter(([, value]) => value.trim());
    page.open({ view: "failed", code: route.code, ...Object.fromEntries(given) });
  };
  return html`<form class="filters" role="search" aria-label="Failed turns" onSubmit=${submit}>
    ${Object.entries(FILTERS).map(
      ([name, label]) => html`<label key=${name}>${label} <input name=${name} defaultValue=${route[name] ?? ""} maxlength="255" placeholder="all" /></label>`,
    )}
    <button type="submit">Filter</button>
    ${Object.keys(route).length > 1 && html`<a href=${urlOf({ view: "failed" })}>Clear filters</a>`}
  </form>`;
}

function SelectableTurns({ page, route, turns }) {
  return html`<${Selection} rows=${turns} keyOf=${({ id }) => id}>${({ column, selected }) => html`
    ${page.canAct && turns.length > 0 && html`<${BulkActions} page=${page} route=${route} selected=${selected} />`}
    <${FailedTable} page=${page} turns=${turns} first=${column} />`}</${Selection}>`;
}

function BulkActions({ page, route: { view, after, ...conditions }, selected }) {
  return html`<p class="row-actions bulk" role="group" aria-label="Bulk acts">
    <${ActionButton} page=${page} action=${actOnMatching("retry", conditions, "Retry all that match")} isSmall />
    <${ActionButton} page=${page} action=${actOnMatching("discard", conditions, "Discard all that match")} isSmall />
    ${selected.length > 0 && html`
      <${ActionButton} page=${page} action=${actOnSelected("retry", selected)} of=${`(${selected.length})`} isSmall />
      <${ActionButton} page=${page} action=${actOnSelected("discard", selected)} of=${`(${selected.length})`} isSmall />
      ${selected.length} selected`}</p>`;
}

export function FailuresByCode({ page, byCode, isReadOnly = false }) {
  const columns = [
    { head: "Failed with", cell: ([code]) => html`<a href=${urlOf({ view: "failed", code })}>${code}</a>` },
    { head: "Turns", isNumber: true, cell: ([, count]) => count.toLocaleString("en") },
    { head: "What to do", cell: ([code]) => ADVICE[code] },
    { head: "Actions", cell: ([code]) => html`<${CodeActions} page=${page} code=${code} />` },
  ];
  return html`<${Table} label="Failed turns by code" columns=${page.canAct && !isReadOnly ? columns : columns.slice(0, -1)}
    rows=${Object.entries(byCode)} keyOf=${([code]) => code} empty="No unresolved failed turns." />`;
}

function CodeActions({ page, code }) {
  return html`<span class="row-actions">
    <${ActionButton} page=${page} action=${actOnMatching("retry", { code })} of=${`with ${code}`} isSmall />
    <${ActionButton} page=${page} action=${actOnMatching("discard", { code })} of=${`with ${code}`} isSmall />
  </span>`;
}

function FailedTable({ page, turns, first }) {
  const columns = [
    first,
    { head: "Failed", isNumber: true, cell: ({ failed_at }) => html`<${RelativeTime} at=${failed_at} suffix=" ago" />` },
    { head: "Code", cell: (turn) => html`${turn.code} <span class="owner">${lossNote(turn)}</span>` },
    { head: "Session", cell: (turn) => html`<${SessionLink} of=${turn} />` },
    { head: "Turn", cell: ({ id }) => html`<${TurnLink} id=${id} />` },
    { head: "Attempts", isNumber: true, cell: ({ attempts }) => attempts },
    { head: "Model", cell: ({ model }) => model },
    { head: "Actions", cell: ({ id }) => html`<${TurnActions} page=${page} id=${id} />` },
  ];
  return html`<${Table} label="Failed turns" columns=${page.canAct ? columns : columns.slice(1, -1)} rows=${turns}
    keyOf=${({ id }) => id} empty="No failed turns." />`;
}

export function TurnActions({ page, id }) {
  return html`<span class="row-actions">
    <${ActionButton} page=${page} action=${retry(id)} of=${id} isSmall />
    <${ActionButton} page=${page} action=${discard(id)} of=${id} isSmall />
  </span>`;
}
