// All live turns that match the filters; those that have waited longest come first.
import { Component, html } from "../shared/ui.js";
import { TurnTable } from "./turn_table.js";
import { addressOf, placeOfSession } from "./place.js";
import { counted } from "./words.js";

export function LiveView({ page, place, data }) {
  return html`
    <${Filters} key=${addressOf(place)} page=${page} place=${place} />
    ${data && html`<p class="told">${foundInWords(data)}</p>
      <${TurnTable} label="Live turns" turns=${data.data} empty="No live turn matches." />
      ${!data.data.length && place.text && html`<${SessionOffer} place=${place} />`}`}`;
}

class Filters extends Component {
  render({ page, place }) {
    const open = (changes) => page.open({ ...place, ...changes });
    const take = (event) => {
      event.preventDefault();
      open(Object.fromEntries(new FormData(event.target)));
    };
    return html`<form class="filters" role="search" aria-label="Live turns" onSubmit=${take}>
      <label>State <select name="status" value=${place.status ?? ""} onChange=${({ target }) => open({ status: target.value })}>
        <option value="">all</option><option value="queued">queued</option><option value="in_progress">running</option>
      </select></label>
      <label>Id has <input name="text" defaultValue=${place.text ?? ""} maxlength="128" placeholder="turn, session or user" /></label>
      <label>Tenant <input name="tenant" defaultValue=${place.tenant ?? ""} maxlength="128" placeholder="all" /></label>
      <label>Worker <input name="worker" defaultValue=${place.worker ?? ""} maxlength="300" placeholder="all" /></label>
      <button type="submit">Show</button>
      ${Object.keys(place).length > 1 && html`<a href=${addressOf({ view: "live" })}>Show all</a>`}
    </form>`;
  }
}

function foundInWords({ data, found, are_all }) {
  const shown = data.length < found ? `${data.length} of ${counted(found, "session")}` : counted(found, "session");
  const most = are_all ? "" : " There are more live sessions than are looked at; filters leave those out too.";
  return `${shown} with a live turn. Shown is the first one of each, the oldest on top.${most}`;
}

// An idle session has no live turn to be found by.
function SessionOffer({ place }) {
  const session = { tenant: place.tenant ?? "-", session_id: place.text };
  return html`<p class="none">Or look at <a href=${addressOf(placeOfSession(session))}>the session ${place.text}</a>.</p>`;
}
