// The summary at the top of every view: the findings in words, and the key numbers as links to what they count.
import { html } from "../shared/ui.js";
import { findFindings } from "./findings.js";
import { formatPercent, withCode } from "./labels.js";
import { urlOf } from "./route.js";
import { formatDuration, NO_VALUE } from "./time.js";

const ICONS = { good: "✓", warn: "!", bad: "✕", unknown: "?" };

export function Summary({ state }) {
  const [first, ...others] = findFindings(state);
  return html`<div class=${`verdict ${first.level}`}>
    <div class="first"><span class="sign" aria-hidden="true">${ICONS[first.level]}</span><p><${Finding} ...${first} /></p></div>
    ${others.length > 0 && html`<ul>${others.map((finding) => html`<li key=${finding.headline + finding.detail}><${Finding} ...${finding} /></li>`)}</ul>`}
    <p class="visually-hidden" role="status">${first.headline}</p>
  </div>`;
}

function Finding({ headline, detail, todo, to }) {
  const advice = to?.view ? html`<a href=${urlOf(to)}>${todo}</a>` : withCode(todo ?? "");
  return html`<strong>${headline}</strong> ${detail} ${todo && html`<em>${advice}</em>`}`;
}

export function Tiles({ stats }) {
  const recent = stats?.recent;
  const notServed = recent && recent.ended.failed + recent.expired;
  const errors = recent && `${notServed} of ${notServed + recent.ended.completed}`;
  const tiles = [
    { name: "Longest wait", value: stats && formatDuration(stats.oldest_unanswered_seconds), to: { view: "live" }, detail: "for an answer" },
    { name: "Held", value: stats && heldTurns(stats), to: { view: "live", status: "queued" }, detail: stats && heldReason(stats) },
    { name: "Running", value: stats?.running_turns, to: { view: "live", status: "in_progress" }, detail: stats && `of ${stats.live_turns} live` },
    { name: "Wait, p95", value: recent && formatDuration(recent.wait_p95_seconds), detail: "last 5 min" },
    { name: "First token, p95", value: recent && formatDuration(recent.first_token_p95_seconds), detail: "last 5 min" },
    { name: "Errors, 5 min", value: recent && formatPercent(recent.error_share), to: { view: "failed" }, detail: errors },
    { name: "Failed", value: stats?.failed_turns, to: { view: "failed" }, detail: "unresolved" },
    { name: "Workers", value: stats?.live_workers, to: { view: "workers" }, detail: "running" },
  ];
  return html`<dl class="numbers">${tiles.map((tile) => html`<${Tile} key=${tile.name} ...${tile} />`)}</dl>`;
}

// Turns behind a running turn of their session are not held by anything else.
const heldEntries = ({ held_turns }) => Object.entries(held_turns).filter(([reason]) => reason !== "running");
const heldTurns = (stats) => heldEntries(stats).reduce((sum, [, number]) => sum + number, 0);

function heldReason(stats) {
  const [first] = heldEntries(stats).sort(([, one], [, other]) => other - one);
  return first ? first[0].replaceAll("_", " ") : null;
}

function Tile({ name, value, to, detail }) {
  const text = value ?? NO_VALUE;
  return html`<div><dt>${name}</dt>
    <dd>${to ? html`<a href=${urlOf(to)} aria-label=${`${name}: ${text}`}>${text}</a>` : text}${detail && html` <small>${detail}</small>`}</dd></div>`;
}
