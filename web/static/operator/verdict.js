// The glance: are users waiting, in words, and the few numbers that say so. Each number leads to what it counts.
import { html } from "../shared/ui.js";
import { glance } from "./findings.js";
import { addressOf } from "./place.js";
import { NOTHING, seconds } from "./times.js";
import { coded, percent } from "./words.js";

const SIGN = { good: "✓", warn: "!", bad: "✕", unknown: "?" };

export function Verdict({ now }) {
  const [first, ...others] = glance(now);
  return html`<div class=${`verdict ${first.level}`}>
    <div class="first"><span class="sign" aria-hidden="true">${SIGN[first.level]}</span><p><${Finding} ...${first} /></p></div>
    ${others.length > 0 && html`<ul>${others.map((finding) => html`<li key=${finding.headline}><${Finding} ...${finding} /></li>`)}</ul>`}
    <p class="away" role="status">${first.headline}</p>
  </div>`;
}

function Finding({ headline, detail, todo, to }) {
  const words = to ? html`<a href=${addressOf(to)}>${todo}</a>` : coded(todo ?? "");
  return html`<strong>${headline}</strong> ${detail} ${todo && html`<em>${words}</em>`}`;
}

export function Numbers({ stats }) {
  const { recent } = stats ?? {};
  const judged = recent && recent.ended.failed + recent.ended.completed;
  const tiles = [
    { name: "Oldest waits", value: stats && seconds(stats.oldest_waiting_seconds), to: { view: "live", status: "queued" } },
    { name: "Waiting", value: stats?.waiting_turns, to: { view: "live", status: "queued" }, note: "for a worker" },
    { name: "Running", value: stats?.running_turns, to: { view: "live", status: "in_progress" }, note: `of ${stats?.live_turns} live` },
    { name: "Wait, 95 %", value: recent && seconds(recent.wait_p95_seconds), note: "last 5 min" },
    { name: "First token, 95 %", value: recent && seconds(recent.first_token_p95_seconds), note: "last 5 min" },
    { name: "Errors, 5 min", value: recent && percent(recent.error_share), to: { view: "failed" }, note: recent && `${recent.ended.failed} of ${judged}` },
    { name: "Failed", value: stats?.failed_turns, to: { view: "failed" }, note: "not dealt with" },
    { name: "Workers", value: stats?.live_workers, to: { view: "workers" }, note: "alive" },
  ];
  return html`<dl class="numbers">${tiles.map((tile) => html`<${Tile} key=${tile.name} ...${tile} />`)}</dl>`;
}

function Tile({ name, value, to, note }) {
  const told = value ?? NOTHING;
  return html`<div><dt>${name}</dt>
    <dd>${to ? html`<a href=${addressOf(to)} aria-label=${`${name}: ${told}`}>${told}</a>` : told}${note && html` <small>${note}</small>`}</dd></div>`;
}
