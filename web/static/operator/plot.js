// One plot. Its heading reads out the last point, or the one under the pointer.
import { html } from "../shared/ui.js";
import { across, barsOf, dotsOf, lineOf, ticksOf, up } from "./scale.js";
import { minute } from "./times.js";

const LABEL_MINUTES = { 1: 5, 5: 60, 15: 240 }; // between two labels, by the minutes of a point

// `lines`: `{ name, kind, of(point) }`; counts are bars on top of each other, so what comes first stands behind.
// `pointed`: the number of the point under the pointer, null without one; `onPoint` is told of another.
export function Plot({ title, lines, unit, words, isCount, series, stepMinutes, pointed, onPoint }) {
  const values = lines.map(({ of }) => series.map(of));
  const drawn = isCount ? values.map((_, n) => series.map((__, at) => total(values.slice(n), at))) : values;
  const ticks = ticksOf(Math.max(...drawn.flat()));
  const most = ticks.at(-1);
  const path = isCount ? barsOf : lineOf;
  return html`<figure class=${`plot ${isCount ? "bars" : "lines"}`}>
    <${Heading} title=${title} lines=${lines} words=${words} point=${series[pointed] ?? lastTold(series, lines)} />
    <div class="area" onPointerMove=${(event) => onPoint(pointUnder(event, series.length))} onPointerLeave=${() => onPoint(null)}>
      ${ticks.map((tick) => html`<span key=${tick} class="tick" style=${{ top: `${up(tick, most)}%` }}>${rounded(tick)}${unit}</span>`)}
      <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
        <path class="grid" d=${ticks.map((tick) => `M0 ${up(tick, most)}H100`).join("")} />
        ${pointed !== null && html`<path class="pointer" d=${`M${across(pointed, series.length)} 0V100`} />`}
        ${drawn.map((of, n) => html`<path key=${lines[n].name} class=${lines[n].kind} d=${path(of, most)} />`)}
        ${!isCount && drawn.map((of, n) => html`<path key=${`${lines[n].name}.`} class=${`dots ${lines[n].kind}`} d=${dotsOf(of, most)} />`)}
      </svg>
      ${series.map(
        ({ at }, n) => isLabelled(at, stepMinutes) && html`<span key=${at} class="label" style=${{ left: `${across(n, series.length)}%` }}>${minute(at)}</span>`,
      )}
    </div>
  </figure>`;
}

function Heading({ title, lines, words, point }) {
  return html`<figcaption><b>${title}</b> <span>
    ${lines.toReversed().map(({ name, kind, of }) => html`<span key=${name} class=${`line ${kind}`}>${name} <b>${words(of(point))}</b> </span>`)}
    <time datetime=${point.at}>${minute(point.at)}</time></span></figcaption>`;
}

const total = (values, at) => values.reduce((sum, line) => sum + line[at], 0);
const lastTold = (series, lines) => series.findLast((point) => lines.some(({ of }) => of(point))) ?? series.at(-1);
const rounded = (tick) => tick.toLocaleString("en", { maximumFractionDigits: 3 });
const isLabelled = (at, stepMinutes) => (Date.parse(at) / 60_000) % LABEL_MINUTES[stepMinutes] === 0;

function pointUnder({ clientX, currentTarget }, count) {
  const { left, width } = currentTarget.getBoundingClientRect();
  return Math.min(count - 1, Math.max(0, Math.floor(((clientX - left) / width) * count)));
}
