// The summary at the top of every view: the findings in words, and the key numbers as links to what they count.
import { html } from "../../shared/ui.js";
import { findFindings } from "../findings.js";
import { formatPercent, HELD, withCode } from "../format/labels.js";
import { formatDuration, NO_VALUE } from "../format/time.js";
import { urlOf } from "../route.js";

const ICONS = { good: "✓", warn: "!", bad: "✕", unknown: "?" };

export function Summary({ state }) {
  const [first, ...others] = findFindings(state);
  return html`<div class=${`verdict ${first.level}`}>
    <div class="first"><${Sign} level=${first.level} /><p><${Finding} ...${first} /></p></div>
    ${others.length > 0 && html`<ul>${others.map((finding) => html`<li key=${finding.headline + finding.detail}><${Finding} ...${finding} /></li>`)}</ul>`}
    <p class="visually-hidden" role="status">${first.headline}</p>
  </div>`;
}

// The same in one line, for all views but the overview: the weightiest finding, which leads there, and the main numbers.
export function BriefSummary({ state }) {
  const [{ level, headline, detail }, ...others] = findFindings(state);
  const numbers = tilesOf(state.stats ?? {}).filter(({ isMain, value }) => isMain && value !== null);
  return html`<div class=${`verdict brief ${level}`}>
    <${Sign} level=${level} />
    <p class="cut"><a href=${urlOf({ view: "overview" })}><strong>${headline}</strong></a> ${detail}</p>
    ${others.length > 0 && html`<a class="others" href=${urlOf({ view: "overview" })}>${others.length} more</a>`}
    <ul aria-label="Main numbers">${numbers.map(({ name, value }) => html`<li key=${name}>${name} <b>${value}</b></li>`)}</ul>
    <p class="visually-hidden" role="status">${headline}</p>
  </div>`;
}

const Sign = ({ level }) => html`<span class="sign" aria-hidden="true">${ICONS[level]}</span>`;

function Finding({ headline, detail, todo, to }) {
  const advice = to?.view ? html`<a href=${urlOf(to)}>${todo}</a>` : withCode(todo ?? "");
  return html`<strong>${headline}</strong> ${detail} ${todo && html`<em>${advice}</em>`}`;
}

export const Tiles = ({ stats }) => html`<dl class="numbers">${tilesOf(stats ?? {}).map((tile) => html`<${Tile} key=${tile.name} ...${tile} />`)}</dl>`;

// Without statistics the values are null and the tiles show no detail.
function tilesOf(stats) {
  const { recent, live_turns: live } = stats;
  return [
    { name: "Longest wait", value: formatted(stats.oldest_unanswered_seconds), to: { view: "live" }, detail: "for an answer", isMain: true },
    { name: "Waiting", value: live === undefined ? null : heldTurns(stats), to: { view: "live", status: "queued" }, detail: live ? heldReason(stats) : null },
    { name: "Running", value: stats.running_turns ?? null, to: { view: "live", status: "in_progress" }, detail: live !== undefined && `of ${live} live`, isMain: true },
    { name: "Wait, p95", value: formatted(recent?.wait_p95_seconds), detail: "last 5 min" },
    { name: "First token, p95", value: formatted(recent?.first_token_p95_seconds), detail: "last 5 min" },
    { name: "Errors, 5 min", value: formatPercent(recent?.error_share ?? null), to: { view: "failed" }, detail: recent && errorCount(recent), isMain: true },
    { name: "Failed", value: stats.failed_turns ?? null, to: { view: "failed" }, detail: "unresolved" },
    { name: "Workers", value: stats.live_workers ?? null, to: { view: "workers" }, detail: "running" },
  ];
}

const formatted = (seconds) => (seconds === null || seconds === undefined ? null : formatDuration(seconds));

function errorCount({ ended, expired }) {
  const notServed = ended.failed + expired;
  return `${notServed} of ${notServed + ended.completed}`;
}

// Turns behind a running turn of their session are not held by anything else.
const heldEntries = ({ held_turns }) => Object.entries(held_turns).filter(([reason]) => reason !== "running");
const heldTurns = (stats) => heldEntries(stats).reduce((sum, [, number]) => sum + number, 0);

function heldReason(stats) {
  const [first] = heldEntries(stats).sort(([, one], [, other]) => other - one);
  return first ? (HELD[first[0]] ?? first[0].replaceAll("_", " ")) : null;
}

function Tile({ name, value, to, detail }) {
  const text = value?.toLocaleString("en") ?? NO_VALUE;
  return html`<div><dt>${name}</dt>
    <dd>${to ? html`<a href=${urlOf(to)} aria-label=${`${name}: ${text}`}>${text}</a>` : text}${detail && html` <small>${detail}</small>`}</dd></div>`;
}
