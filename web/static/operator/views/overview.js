// The overview: plots, failed turns by code, and the oldest live turns.
import { ROOT } from "../../shared/root.js";
import { html } from "../../shared/ui.js";
import { pause } from "../actions/pauses.js";
import { ActionButton } from "../components/action_button.js";
import { Plots } from "../components/plots.js";
import { TimeRangeNav } from "../components/time_range.js";
import { TurnTable } from "../components/turn_table.js";
import { pluralize } from "../format/labels.js";
import { urlOf } from "../route.js";
import { FailuresByCode } from "./failed.js";

export function OverviewView({ page, route, stats, data }) {
  if (!stats) return null;
  const hasFailures = Object.keys(stats.failed_by_code).length > 0;
  return html`
    <${TimeRangeNav} route=${route} />
    <${Plots} stats=${stats} />
    ${hasFailures && html`<h2><a href=${urlOf({ view: "failed" })}>Failed turns</a></h2>
      <${FailuresByCode} page=${page} byCode=${stats.failed_by_code} isReadOnly />`}
    <h2><a href=${urlOf({ view: "live" })}>Live turns</a></h2>
    ${page.canAct && html`<p class="summary">Keep turns from starting: <${ActionButton} page=${page} action=${pause()} isSmall /></p>`}
    ${data && html`<${TurnTable} label="Oldest live turns" turns=${data.data} empty=${html`No live turns. ${firstTurnHint(stats)}`} />
      ${data.found > data.data.length && html`<p class="summary">And ${pluralize(data.found - data.data.length, "more session")}.</p>`}`}`;
}

function firstTurnHint({ series: points }) {
  if (points.some(({ accepted }) => accepted)) return "";
  return html`Send a message in <a href="${ROOT}/">the chat</a>, or submit a turn with <a href="${ROOT}/docs#submit">the API</a>.`;
}
