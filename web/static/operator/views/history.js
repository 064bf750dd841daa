// Live and ended turns that match the filters, newest first, in pages.
import { html } from "../../shared/ui.js";
import { actOnMatching } from "../actions/jobs.js";
import { ActionButton } from "../components/action_button.js";
import { Empty } from "../components/empty.js";
import { TimeFilter, withZone } from "../components/field.js";
import { FoundTurns } from "../components/found_turns.js";
import { urlOf } from "../route.js";

const STATUSES = ["queued", "in_progress", "completed", "failed", "cancelled", "incomplete"];
const TEXTS = { user_id: "User", session_id: "Session", tenant: "Tenant", assistant: "Assistant", model: "Model", code: "Error code" };
const PERIOD = { accepted_after: "From, UTC", accepted_before: "Until, UTC" };
const IDS = { request_id: "Request", trace_id: "Trace", idempotency_key: "Idempotency key" }; // shown only if a link has set them
const LIVE = ["queued", "in_progress"];
const NO_FILTER = [{ label: "All turns", to: { view: "history" } }];

export function HistoryView({ page, route, data }) {
  const { after, ...filter } = route;
  return html`
    <${Filters} key=${urlOf(filter)} page=${page} filter=${filter} />
    <${CancelMatching} page=${page} filter=${filter} />
    ${data && html`<${FoundTurns} label="All turns" turns=${data.data} empty=${html`<${Empty} next=${NO_FILTER}>${emptyText(data)}<//>`} />
      <p class="pages">${after && html`<a href=${urlOf(filter)}>Newest</a>`} ${data.after && html`<a href=${urlOf({ ...filter, after: data.after })}>Older</a>`}
        ${!data.are_all && html`<span class="owner">One request reads 5,000 turns, so this page may be short.</span>`}</p>`}`;
}

// The code of an ended turn and the ids of one turn are no conditions of a job that cancels.
function CancelMatching({ page, filter: { view, ...conditions } }) {
  const isPossible = !conditions.code && !Object.keys(IDS).some((name) => conditions[name]);
  if (!page.canAct || !isPossible || (conditions.status && !LIVE.includes(conditions.status))) return null;
  return html`<p class="row-actions bulk" role="group" aria-label="Bulk acts">
    <${ActionButton} page=${page} action=${actOnMatching("cancel", conditions, "Cancel live turns that match")} isSmall /></p>`;
}

function Filters({ page, filter }) {
  const submit = (event) => {
    event.preventDefault();
    page.open({ view: "history", ...withZone(Object.fromEntries(new FormData(event.target)), Object.keys(PERIOD)) });
  };
  return html`<form class="filters" role="search" aria-label="All turns" onSubmit=${submit}>
    <label>State <select name="status" value=${filter.status ?? ""} onChange=${({ target }) => target.form.requestSubmit()}>
      <option value="">all</option>${STATUSES.map((status) => html`<option key=${status} value=${status}>${status.replace("_", " ")}</option>`)}
    </select></label>
    ${Object.entries(TEXTS).map(([name, label]) => html`<${TextFilter} key=${name} name=${name} label=${label} filter=${filter} />`)}
    ${Object.entries(PERIOD).map(([name, label]) => html`<${TimeFilter} key=${name} name=${name} label=${label} value=${filter[name]} />`)}
    ${Object.entries(IDS).map(([name, label]) => filter[name] && html`<${TextFilter} key=${name} name=${name} label=${label} filter=${filter} />`)}
    <button type="submit">Filter</button>
    ${Object.keys(filter).length > 1 && html`<a href=${urlOf({ view: "history" })}>Clear filters</a>`}
  </form>`;
}

function TextFilter({ name, label, filter }) {
  return html`<label>${label} <input name=${name} defaultValue=${filter[name] ?? ""} maxlength="255" placeholder="all" spellcheck=${false} autocomplete="off" /></label>`;
}

function emptyText({ are_all }) {
  return are_all ? "No turn that is still kept matches." : "No turn among those of this page matches; older ones may.";
}
