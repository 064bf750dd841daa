// One plot. Its heading shows the values of the point under the pointer, or of the last interval that is over.
import { html } from "../../shared/ui.js";
import { barsPath, dotsPath, linePath, ticksUpTo, xOf, yOf } from "../format/scale.js";
import { formatLocalAndUtc, formatMinute } from "../format/time.js";

const LABEL_MINUTES = { 1: 5, 5: 60, 15: 240 }; // distance between labels, by the minutes of one point

// `series`: `{ name, kind, value(point, stepMinutes) }`. Counts are drawn as stacked bars; the first series is drawn behind
// the others.
// `pointed`: index of the point under the pointer, or null; `onPoint` is called when it changes.
export function Plot({ title, series, unit, format, isCount, points, stepMinutes, pointed, onPoint }) {
  const values = series.map(({ value }) => points.map((point) => value(point, stepMinutes)));
  const drawn = isCount ? values.map((_, n) => points.map((__, at) => total(values.slice(n), at))) : values;
  const ticks = ticksUpTo(Math.max(...drawn.flat()));
  const max = ticks.at(-1);
  const path = isCount ? barsPath : linePath;
  return html`<figure class=${`plot ${isCount ? "bars" : "curves"}`}>
    <${Heading} title=${title} series=${series} format=${format} stepMinutes=${stepMinutes} point=${points[pointed ?? points.length - 2]} />
    <div class="area" onPointerMove=${(event) => onPoint(pointUnder(event, points.length))} onPointerLeave=${() => onPoint(null)}>
      ${ticks.map((tick) => html`<span key=${tick} class="tick" style=${{ top: `${yOf(tick, max)}%` }}>${formatTick(tick)}${unit}</span>`)}
      <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
        <path class="grid" d=${ticks.map((tick) => `M0 ${yOf(tick, max)}H100`).join("")} />
        ${pointed !== null && html`<path class="pointer" d=${`M${xOf(pointed, points.length)} 0V100`} />`}
        ${drawn.map((each, n) => html`<path key=${series[n].name} class=${series[n].kind} d=${path(each, max)} />`)}
        ${!isCount && drawn.map((each, n) => html`<path key=${`${series[n].name}.`} class=${`dots ${series[n].kind}`} d=${dotsPath(each, max)} />`)}
      </svg>
      ${points.map(
        ({ at }, n) => isLabelled(at, stepMinutes) && html`<span key=${at} class="label" style=${{ left: `${xOf(n, points.length)}%` }}>${formatMinute(at)}</span>`,
      )}
    </div>
  </figure>`;
}

function Heading({ title, series, format, point, stepMinutes }) {
  return html`<figcaption><b>${title}</b> <time datetime=${point.at} title=${formatLocalAndUtc(point.at)}>${formatMinute(point.at)}</time>
    <span>${series.toReversed().map(({ name, kind, value }) => html`<span key=${name} class=${`legend-key ${kind}`}>${name} <b>${format(value(point, stepMinutes))}</b> </span>`)}</span></figcaption>`;
}

const total = (values, at) => values.reduce((sum, each) => sum + each[at], 0);
const formatTick = (tick) => tick.toLocaleString("en", { maximumFractionDigits: 3 });
const isLabelled = (at, stepMinutes) => (Date.parse(at) / 60_000) % LABEL_MINUTES[stepMinutes] === 0;

function pointUnder({ clientX, currentTarget }, count) {
  const { left, width } = currentTarget.getBoundingClientRect();
  return Math.min(count - 1, Math.max(0, Math.floor(((clientX - left) / width) * count)));
}
