// How it goes: the plots, and beside them what somebody must do and what runs.
import { html } from "../shared/ui.js";
import { Groups } from "./failed_view.js";
import { addressOf } from "./place.js";
import { Plots } from "./plots.js";
import { TurnTable } from "./turn_table.js";
import { Spans } from "./spans.js";
import { counted } from "./words.js";

export function OverviewView({ page, place, stats, data }) {
  if (!stats) return null;
  const failed = Object.keys(stats.failed_by_code).length > 0;
  return html`
    <${Spans} place=${place} />
    <${Plots} stats=${stats} />
    ${failed && html`<h2><a href=${addressOf({ view: "failed" })}>Failed turns</a></h2>
      <${Groups} page=${page} byCode=${stats.failed_by_code} isShort />`}
    <h2><a href=${addressOf({ view: "live" })}>Live turns</a></h2>
    ${data && html`<${TurnTable} label="The oldest live turns" turns=${data.data} empty=${html`No turn is live. ${howToBegin(stats)}`} />
      ${data.found > data.data.length && html`<p class="told">And ${counted(data.found - data.data.length, "more session")}.</p>`}`}`;
}

function howToBegin({ series }) {
  if (series.some(({ accepted }) => accepted)) return "";
  return html`Say something in <a href="/">the chat</a>, or submit one as <a href="/docs#submit">the API</a> has it.`;
}
