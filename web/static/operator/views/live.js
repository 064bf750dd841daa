// Live turns that match the filters, the longest waiting first.
import { Component, html } from "../../shared/ui.js";
import { TurnTable } from "../components/turn_table.js";
import { pluralize } from "../format/labels.js";
import { sessionRoute, urlOf } from "../route.js";

export function LiveView({ page, route, data }) {
  return html`
    <${Filters} key=${urlOf(route)} page=${page} route=${route} />
    ${data && html`<p class="summary">${resultSummary(data)}</p>
      <${TurnTable} label="Live turns" turns=${data.data} empty="No live turn matches." />
      ${!data.data.length && route.text && html`<${IdleSessionHint} route=${route} />`}`}`;
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

// The list contains sessions with live turns only, so an idle session is reached by its address.
function IdleSessionHint({ route }) {
  const session = { tenant: route.tenant ?? "-", session_id: route.text };
  return html`<p class="empty">Or open <a href=${urlOf(sessionRoute(session))}>the session ${route.text}</a>.</p>`;
}
