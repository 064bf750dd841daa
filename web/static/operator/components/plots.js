// The time range as small plots, and the same numbers as a table for screen readers.
import { Component, html } from "../../shared/ui.js";
import { formatDuration, formatLocalAndUtc, formatMinute, NO_VALUE } from "../format/time.js";
import { Plot } from "./plot.js";
import { Table } from "./table.js";

const formatCount = (number) => (number === null ? NO_VALUE : number.toLocaleString("en", { maximumFractionDigits: 1 }));

// `value(point, stepMinutes)`; counts of events are shown per minute, whatever the time range.
const PLOTS = [
  {
    ...{ title: "Live turns", format: formatCount, unit: "" },
    series: [
      { name: "waiting for a worker", kind: "second", value: ({ waiting_turns: turns }) => turns },
      { name: "live", kind: "first", value: ({ live_turns: turns }) => turns },
    ],
  },
  {
    ...{ title: "Submitted per minute", format: formatCount, unit: "", isCount: true },
    series: [
      { name: "refused", kind: "bad", value: ({ refused }, minutes) => sum(Object.values(refused)) / minutes },
      { name: "accepted", kind: "first", value: ({ accepted }, minutes) => accepted / minutes },
    ],
  },
  {
    ...{ title: "Ended per minute", format: formatCount, unit: "", isCount: true },
    series: [
      { name: "failed", kind: "bad", value: ({ ended }, minutes) => ended.failed / minutes },
      { name: "completed", kind: "first", value: ({ ended }, minutes) => ended.completed / minutes },
    ],
  },
  {
    ...{ title: "Wait for a worker", format: formatDuration, unit: " s" },
    series: [
      { name: "median", kind: "second", value: ({ wait_p50_seconds: seconds }) => seconds },
      { name: "p95", kind: "first", value: ({ wait_p95_seconds: seconds }) => seconds },
    ],
  },
  {
    ...{ title: "First token", format: formatDuration, unit: " s" },
    series: [{ name: "p95", kind: "first", value: ({ first_token_p95_seconds: seconds }) => seconds }],
  },
  {
    ...{ title: "Duration", format: formatDuration, unit: " s" },
    series: [{ name: "p95", kind: "first", value: ({ duration_p95_seconds: seconds }) => seconds }],
  },
];

const sum = (numbers) => numbers.reduce((total, each) => total + each, 0);

export class Plots extends Component {
  state = { pointed: null };

  render({ stats: { series: points, step_minutes: stepMinutes } }, { pointed }) {
    const onPoint = (n) => this.setState({ pointed: n }); // one state for all plots, so that they show the same time
    const shared = { points, stepMinutes, pointed, onPoint };
    return html`
      <div class="plots">${PLOTS.map((plot) => html`<${Plot} key=${plot.title} ...${plot} ...${shared} />`)}</div>
      <details class="plot-table"><summary>These plots as a table</summary><${PlotTable} points=${points} /></details>`;
  }
}

function PlotTable({ points }) {
  const columns = [
    { head: "From (UTC)", cell: ({ at }) => html`<time datetime=${at} title=${formatLocalAndUtc(at)}>${formatMinute(at)}</time>` },
    { head: "Live", isNumber: true, cell: ({ live_turns: turns }) => formatCount(turns) },
    { head: "Waiting", isNumber: true, cell: ({ waiting_turns: turns }) => formatCount(turns) },
    { head: "Accepted", isNumber: true, cell: ({ accepted }) => formatCount(accepted) },
    { head: "Refused", isNumber: true, cell: ({ refused }) => formatCount(sum(Object.values(refused))) },
    { head: "Completed", isNumber: true, cell: ({ ended }) => formatCount(ended.completed) },
    { head: "Failed", isNumber: true, cell: ({ ended }) => formatCount(ended.failed) },
    { head: "Wait, median", isNumber: true, cell: (point) => formatDuration(point.wait_p50_seconds) },
    { head: "Wait, p95", isNumber: true, cell: (point) => formatDuration(point.wait_p95_seconds) },
    { head: "First token, p95", isNumber: true, cell: (point) => formatDuration(point.first_token_p95_seconds) },
    { head: "Duration, p95", isNumber: true, cell: (point) => formatDuration(point.duration_p95_seconds) },
  ];
  return html`<${Table} label="The plots as a table" columns=${columns} rows=${points.toReversed()} keyOf=${({ at }) => at} />`;
}
