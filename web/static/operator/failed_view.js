// Failed turns of all tenants that nobody has dealt with: by what to do about them, and one by one.
import { html } from "../shared/ui.js";
import { discard, discardAll, retry, retryAll } from "./actions.js";
import { addressOf } from "./place.js";
import { Table } from "./table.js";
import { Ago } from "./times.js";
import { SessionLink, TurnLink } from "./turn_table.js";
import { ADVICE } from "./words.js";

export function FailedView({ page, place, stats, data }) {
  return html`
    ${stats && html`<${Groups} page=${page} byCode=${stats.failed_by_code} />`}
    ${data && html`
      <h2>${place.code ? html`Failed with <code>${place.code}</code>, the last first` : "All of them, the last first"}</h2>
      <${FailedTable} page=${page} turns=${data.data} />
      <${Pages} place=${place} after=${data.after} />`}`;
}

export function Groups({ page, byCode, isShort = false }) {
  const columns = [
    { head: "Failed with", cell: ([code]) => html`<a href=${addressOf({ view: "failed", code })}>${code}</a>` },
    { head: "Turns", isNumber: true, cell: ([, count]) => count.toLocaleString("en") },
    { head: "What to do", cell: ([code]) => ADVICE[code] },
    { head: "All of them", cell: ([code, count]) => html`<${ForAll} page=${page} code=${code} count=${count} />` },
  ];
  return html`<${Table} label="Failed turns by code" columns=${page.mayAct && !isShort ? columns : columns.slice(0, -1)}
    rows=${Object.entries(byCode)} keyOf=${([code]) => code} empty="No failed turn waits for somebody." />`;
}

function ForAll({ page, code, count }) {
  return html`<span class="acts">
    <button type="button" class="quiet" aria-label=${`Retry ${count} with ${code}`}
      onClick=${() => page.act(retryAll(code, count))}>Retry ${count}</button>
    <button type="button" class="quiet" aria-label=${`Discard ${count} with ${code}`}
      onClick=${() => page.act(discardAll(code, count))}>Discard ${count}</button>
  </span>`;
}

function FailedTable({ page, turns }) {
  const columns = [
    { head: "Failed", isNumber: true, cell: ({ failed_at }) => html`<${Ago} at=${failed_at} /> ago` },
    { head: "Code", cell: ({ code }) => code },
    { head: "Session", cell: (turn) => html`<${SessionLink} of=${turn} />` },
    { head: "Turn", cell: ({ id }) => html`<${TurnLink} id=${id} />` },
    { head: "Attempts", isNumber: true, cell: ({ attempts }) => attempts },
    { head: "Model", cell: ({ model }) => model },
    { head: "This one", cell: ({ id }) => html`<${ForOne} page=${page} id=${id} />` },
  ];
  return html`<${Table} label="Failed turns" columns=${page.mayAct ? columns : columns.slice(0, -1)} rows=${turns} keyOf=${({ id }) => id} empty="There are none." />`;
}

export function ForOne({ page, id }) {
  return html`<span class="acts">
    <button type="button" class="quiet" aria-label=${`Retry ${id}`} onClick=${() => page.act(retry(id))}>Retry</button>
    <button type="button" class="quiet" aria-label=${`Discard ${id}`} onClick=${() => page.act(discard(id))}>Discard</button>
  </span>`;
}

function Pages({ place, after }) {
  return html`<p class="pages">
    ${place.after && html`<a href=${addressOf({ ...place, after: null })}>The last ones</a>`}
    ${after !== null && html`<a href=${addressOf({ ...place, after })}>Older ones</a>`}
  </p>`;
}
