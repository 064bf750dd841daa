// Unresolved failed turns of all tenants: grouped by code with advice, and one by one.
import { html } from "../../shared/ui.js";
import { discard, discardAll, retry, retryAll } from "../actions/turns.js";
import { ActionButton } from "../components/action_button.js";
import { Table } from "../components/table.js";
import { SessionLink, TurnLink } from "../components/turn_table.js";
import { ADVICE, lossNote } from "../format/labels.js";
import { RelativeTime } from "../format/time.js";
import { urlOf } from "../route.js";

export function FailedView({ page, route, stats, data }) {
  return html`
    ${stats && html`<${FailuresByCode} page=${page} byCode=${stats.failed_by_code} />`}
    ${data && html`
      <h2>${route.code ? html`Failed with <code>${route.code}</code>, newest first` : "All failed turns, newest first"}</h2>
      <${FailedTable} page=${page} turns=${data.data} />
      <${Pagination} route=${route} after=${data.after} />`}`;
}

export function FailuresByCode({ page, byCode, isReadOnly = false }) {
  const columns = [
    { head: "Failed with", cell: ([code]) => html`<a href=${urlOf({ view: "failed", code })}>${code}</a>` },
    { head: "Turns", isNumber: true, cell: ([, count]) => count.toLocaleString("en") },
    { head: "What to do", cell: ([code]) => ADVICE[code] },
    { head: "Actions", cell: ([code, count]) => html`<${BulkActions} page=${page} code=${code} count=${count} />` },
  ];
  return html`<${Table} label="Failed turns by code" columns=${page.canAct && !isReadOnly ? columns : columns.slice(0, -1)}
    rows=${Object.entries(byCode)} keyOf=${([code]) => code} empty="No unresolved failed turns." />`;
}

function BulkActions({ page, code, count }) {
  return html`<span class="row-actions">
    <${ActionButton} page=${page} action=${retryAll(code, count)} of=${`with ${code}`} isSmall />
    <${ActionButton} page=${page} action=${discardAll(code, count)} of=${`with ${code}`} isSmall />
  </span>`;
}

function FailedTable({ page, turns }) {
  const columns = [
    { head: "Failed", isNumber: true, cell: ({ failed_at }) => html`<${RelativeTime} at=${failed_at} suffix=" ago" />` },
    { head: "Code", cell: (turn) => html`${turn.code} <span class="owner">${lossNote(turn)}</span>` },
    { head: "Session", cell: (turn) => html`<${SessionLink} of=${turn} />` },
    { head: "Turn", cell: ({ id }) => html`<${TurnLink} id=${id} />` },
    { head: "Attempts", isNumber: true, cell: ({ attempts }) => attempts },
    { head: "Model", cell: ({ model }) => model },
    { head: "Actions", cell: ({ id }) => html`<${TurnActions} page=${page} id=${id} />` },
  ];
  return html`<${Table} label="Failed turns" columns=${page.canAct ? columns : columns.slice(0, -1)} rows=${turns}
    keyOf=${({ id }) => id} empty="No failed turns." />`;
}

export function TurnActions({ page, id }) {
  return html`<span class="row-actions">
    <${ActionButton} page=${page} action=${retry(id)} of=${id} isSmall />
    <${ActionButton} page=${page} action=${discard(id)} of=${id} isSmall />
  </span>`;
}

function Pagination({ route, after }) {
  return html`<p class="pages">
    ${route.after && html`<a href=${urlOf({ ...route, after: null })}>Newest</a>`}
    ${after !== null && html`<a href=${urlOf({ ...route, after })}>Older</a>`}
  </p>`;
}
