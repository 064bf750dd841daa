// The last minutes or hours as small plots, and as a table for those who do not see them.
import { Component, html } from "../shared/ui.js";
import { Plot } from "./plot.js";
import { Table } from "./table.js";
import { inUtc, minute, NOTHING, seconds } from "./times.js";

const count = (number) => (number === null ? NOTHING : number.toLocaleString("en"));

// What each plot is of; `lines` as `Plot` takes them.
const PLOTS = [
  {
    ...{ title: "Wait for a worker", words: seconds, unit: " s" },
    lines: [
      { name: "half", kind: "second", of: ({ wait_p50_seconds: n }) => n },
      { name: "95 %", kind: "first", of: ({ wait_p95_seconds: n }) => n },
    ],
  },
  {
    ...{ title: "First token", words: seconds, unit: " s" },
    lines: [{ name: "95 %", kind: "first", of: ({ first_token_p95_seconds: n }) => n }],
  },
  {
    ...{ title: "Duration", words: seconds, unit: " s" },
    lines: [{ name: "95 %", kind: "first", of: ({ duration_p95_seconds: n }) => n }],
  },
  {
    ...{ title: "Turns ended", words: count, unit: "", isCount: true },
    lines: [
      { name: "failed", kind: "bad", of: ({ ended }) => ended.failed },
      { name: "completed", kind: "first", of: ({ ended }) => ended.completed },
    ],
  },
];

export class Plots extends Component {
  state = { pointed: null };

  render({ stats: { series, step_minutes: stepMinutes } }, { pointed }) {
    const point = (n) => this.setState({ pointed: n }); // all of them tell of the same time
    const all = { series, stepMinutes, pointed, onPoint: point };
    return html`
      <div class="plots">${PLOTS.map((plot) => html`<${Plot} key=${plot.title} ...${plot} ...${all} />`)}</div>
      <details class="twin"><summary>These plots as a table</summary><${Twin} series=${series} /></details>`;
  }
}

function Twin({ series }) {
  const columns = [
    { head: "From (UTC)", cell: ({ at }) => html`<time datetime=${at} title=${inUtc(at)}>${minute(at)}</time>` },
    { head: "Accepted", isNumber: true, cell: ({ accepted }) => count(accepted) },
    { head: "Completed", isNumber: true, cell: ({ ended }) => count(ended.completed) },
    { head: "Failed", isNumber: true, cell: ({ ended }) => count(ended.failed) },
    { head: "Wait, half", isNumber: true, cell: (point) => seconds(point.wait_p50_seconds) },
    { head: "Wait, 95 %", isNumber: true, cell: (point) => seconds(point.wait_p95_seconds) },
    { head: "First token, 95 %", isNumber: true, cell: (point) => seconds(point.first_token_p95_seconds) },
    { head: "Duration, 95 %", isNumber: true, cell: (point) => seconds(point.duration_p95_seconds) },
  ];
  return html`<${Table} label="The plots as a table" columns=${columns} rows=${series.toReversed()} keyOf=${({ at }) => at} />`;
}
