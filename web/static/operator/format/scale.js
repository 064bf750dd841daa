// Coordinates and SVG paths of a plot in a square of 100 by 100. Pure functions.

const STEPS = [1, 2, 5, 10];

// Return three round tick values from 0 up, the last of them at least `max`.
export function ticksUpTo(max) {
  const rough = (max || 1) / 2;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = STEPS.find((candidate) => candidate * power >= rough) * power;
  return [0, step, 2 * step];
}

export const xOf = (n, count) => ((n + 0.5) / count) * 100;
export const yOf = (value, max) => 100 - (value / max) * 100;

// Return a line through the values with gaps where a value is null.
export function linePath(values, max) {
  return values
    .map((value, n) => {
      if (value === null) return "";
      const point = `${xOf(n, values.length)} ${yOf(value, max)}`;
      return hasValue(values[n - 1]) ? `L${point}` : `M${point}`;
    })
    .join("");
}

// Return dots for values without a neighbour, which a line would not show. A stroke of length 0 with round ends is a dot.
export function dotsPath(values, max) {
  return values
    .map((value, n) => {
      const isIsolated = hasValue(value) && !hasValue(values[n - 1]) && !hasValue(values[n + 1]);
      return isIsolated ? `M${xOf(n, values.length)} ${yOf(value, max)}h0` : "";
    })
    .join("");
}

const hasValue = (value) => value !== null && value !== undefined;

export function barsPath(values, max) {
  const half = 35 / values.length;
  return values
    .map((value, n) => {
      const middle = xOf(n, values.length);
      return value ? `M${middle - half} 100V${yOf(value, max)}H${middle + half}V100z` : "";
    })
    .join("");
}
