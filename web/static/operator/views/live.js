// Live turns that match the filters, the longest waiting first.
import { Component, html } from "../../shared/ui.js";
import { actOnMatching, actOnSelected } from "../actions/jobs.js";
import { ActionButton } from "../components/action_button.js";
import { Selection } from "../components/selection.js";
import { TurnTable } from "../components/turn_table.js";
import { pluralize } from "../format/labels.js";
import { urlOf } from "../route.js";

export function LiveView({ page, route, data }) {
  return html`
    <${Filters} key=${urlOf(route)} page=${page} route=${route} />
    ${data && html`<p class="summary">${resultSummary(data)}</p>
      <${SelectableTurns} key=${urlOf(route)} page=${page} route=${route} turns=${data.data} />
      ${!data.data.length && route.text && html`<${EndedTurnsHint} text=${route.text} />`}`}`;
}

function SelectableTurns({ page, route, turns }) {
  return html`<${Selection} rows=${turns} keyOf=${({ id }) => id}>${({ column, selected }) => html`
    <${BulkActions} page=${page} route=${route} selected=${selected} isEmpty=${!turns.length} />
    <${TurnTable} label="Live turns" turns=${turns} first=${page.canAct && column} empty="No live turn matches." />`}</${Selection}>`;
}

// A part of an id and a worker are no conditions of a job, so there is no button for all turns that match them.
function BulkActions({ page, route: { status, tenant, text, worker }, selected, isEmpty }) {
  const conditions = { status, tenant };
  if (!page.canAct || isEmpty) return null;
  return html`<p class="row-actions bulk" role="group" aria-label="Bulk acts">
    ${!text && !worker && html`<${ActionButton} page=${page} action=${actOnMatching("cancel", conditions, "Cancel all that match")} isSmall />`}
    ${selected.length > 0 && html`<${ActionButton} page=${page} action=${actOnSelected("cancel", selected)} of=${`(${selected.length})`} isSmall /> ${selected.length} selected`}</p>`;
}

class Filters extends Component {
  render({ page, route }) {
    const open = (changes) => page.open({ ...route, ...changes });
    const submit = (event) => {
      event.preventDefault();
      open(Object.fromEntries(new FormData(event.target)));
    };
    return html`<form class="filters" role="search" aria-label="Live turns" onSubmit=${submit}>
      <label>State <select name="status" value=${route.status ?? ""} onChange=${({ target }) => open({ status: target.value })}>
        <option value="">all</option><option value="queued">queued</option><option value="in_progress">running</option>
      </select></label>
      <label>Id contains <input name="text" defaultValue=${route.text ?? ""} maxlength="128" placeholder="turn, session or user" /></label>
      <label>Tenant <input name="tenant" defaultValue=${route.tenant ?? ""} maxlength="128" placeholder="all" /></label>
      <label>Worker <input name="worker" defaultValue=${route.worker ?? ""} maxlength="300" placeholder="all" /></label>
      <button type="submit">Filter</button>
      ${Object.keys(route).length > 1 && html`<a href=${urlOf({ view: "live" })}>Clear filters</a>`}
    </form>`;
  }
}

function resultSummary({ data, found, are_all }) {
  const total = pluralize(found, "session matches.", "sessions match.");
  const limit = data.length < found ? `, up to ${data.length}` : "";
  const shown = found > 0 && `${total} Shown: the first live turn of each, oldest first${limit}.`;
  const scanned = !are_all && "There are more live sessions than one request scans; some matches may be missing.";
  return [shown, scanned].filter(Boolean).join(" ");
}

// This list contains sessions with live turns only.
function EndedTurnsHint({ text }) {
  return html`<p class="empty"><a href=${urlOf({ view: "find", q: text })}>Search also ended turns for ${text}</a></p>`;
}
