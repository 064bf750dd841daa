// Tokens and cost of some days, grouped; a value in the table narrows the report.
import { html } from "../../shared/ui.js";
import { downloadUsage } from "../api.js";
import { Empty } from "../components/empty.js";
import { Table } from "../components/table.js";
import { urlOf } from "../route.js";

const DAYS = { 1: "Today", 7: "7 days", 30: "30 days", 90: "90 days" };
const GROUPS = { tenant: "Tenant", user: "User", assistant: "Assistant", model: "Model", day: "Day" };
const FILTERS = { tenant: "Tenant", user_id: "User", assistant: "Assistant", model: "Model" };
const DEFAULTS = { days: "7", by: "tenant" };
const FILTER_OF = { tenant: "tenant", user: "user_id", assistant: "assistant", model: "model" };

// Return the query of the endpoint for a route.
export function usageQuery({ days, by, ...filters }) {
  const known = Object.hasOwn(DAYS, days ?? "") ? days : DEFAULTS.days;
  const until = new Date();
  const since = new Date(until - (known - 1) * 86_400_000);
  const isoDay = (date) => date.toISOString().slice(0, 10);
  return { since: isoDay(since), until: isoDay(until), by: Object.hasOwn(GROUPS, by ?? "") ? by : DEFAULTS.by, ...filters };
}

export function UsageView({ page, route, data }) {
  return html`
    <${Choice} label="Days" name="days" choices=${DAYS} route=${route} />
    <${Choice} label="Group by" name="by" choices=${GROUPS} route=${route} />
    <${Filters} route=${route} />
    ${data && html`<${Report} page=${page} route=${route} report=${data} />`}`;
}

function Choice({ label, name, choices, route }) {
  const chosen = Object.hasOwn(choices, route[name] ?? "") ? route[name] : DEFAULTS[name];
  return html`<nav class="choice" aria-label=${label}><span>${label}:</span> ${Object.entries(choices).map(
    ([value, text]) => html`<a key=${value} href=${urlOf({ ...route, [name]: value })} aria-current=${value === chosen ? "true" : null}>${text}</a> `,
  )}</nav>`;
}

function Filters({ route }) {
  const given = Object.entries(FILTERS).filter(([name]) => route[name]);
  if (!given.length) return null;
  return html`<p>${given.map(([name, label]) => html`<span key=${name}>${label} <b>${route[name]}</b> </span>`)}
    <a href=${urlOf({ view: "usage", days: route.days, by: route.by })}>Clear filters</a></p>`;
}

function Report({ page, route, report }) {
  const currencies = Object.keys(report.total.cost);
  const save = () => downloadUsage(usageQuery(withoutView(route))).catch((error) => page.update({ notice: { isError: true, message: error.message } }));
  const rows = report.data.length ? [...report.data, { ...report.total, isTotal: true }] : [];
  return html`
    <${Table} label="Tokens and cost" columns=${columns(report.by[0], route, currencies)} rows=${rows} keyOf=${keyOf}
      empty=${html`<${Empty} next=${[{ label: "90 days", to: { view: "usage", days: "90" } }]}>No turn has ended in these days.<//>`} />
    ${report.has_more && html`<p>Only the first ${report.data.length.toLocaleString("en")} rows are shown; the sum and the file have all of them.</p>`}
    <p>${rows.length > 0 && html`<button type="button" onClick=${save}>Save as CSV</button> `}<span class="owner">UTC days. Runs that failed or were repeated count too.
      Unreported calls may have cost something, and their tokens are not known.</span></p>`;
}

const withoutView = ({ view, ...fields }) => fields;
const keyOf = (row) => (row.isTotal ? "total" : row.is_rest ? "rest" : [row.day, row.tenant, row.user_id, row.assistant, row.model].join("|"));
const number = (value) => value.toLocaleString("en");

function columns(group, route, currencies) {
  const count = (head, name) => ({ head, isNumber: true, cell: (row) => (row[name] ? number(row[name]) : null) });
  return [
    { head: GROUPS[group], cell: (row) => html`<${Group} group=${group} route=${route} row=${row} />` },
    count("Turns", "turns"),
    count("Failed", "failed"),
    count("Input tokens", "input_tokens"),
    count("of them cached", "cached_tokens"),
    count("Output tokens", "output_tokens"),
    count("of them reasoning", "reasoning_tokens"),
    count("Unreported calls", "unreported_calls"),
    ...currencies.map((currency) => ({ head: currency, isNumber: true, cell: ({ cost }) => (cost[currency] ? amount(cost[currency]) : null) })),
    ...(currencies.length ? [count("Tokens without a price", "unpriced_tokens")] : []),
  ];
}

function Group({ group, route, row }) {
  if (row.isTotal) return html`<b>Sum</b>`;
  if (row.is_rest) return "all others";
  const value = row[FILTER_OF[group] ?? group];
  if (!value) return { user: "without a user", model: "never ran" }[group] ?? null;
  if (!FILTER_OF[group]) return value;
  const next = group === "tenant" ? "user" : "day";
  return html`<a href=${urlOf({ ...route, by: next, [FILTER_OF[group]]: value })}>${value}</a>`;
}

// Two decimals, or as many as the first two digits of a small amount need.
function amount(text) {
  const value = Number(text);
  const digits = value && value < 0.01 ? { maximumSignificantDigits: 2 } : { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  return value.toLocaleString("en", digits);
}
