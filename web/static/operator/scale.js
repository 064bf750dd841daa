// Where things stand in a plot that is 100 wide and 100 high, as paths of SVG. Pure.

const STEPS = [1, 2, 5, 10];

// Three round numbers from 0 on; `most` is not above the last.
export function ticksOf(most) {
  const rough = (most || 1) / 2;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = STEPS.find((candidate) => candidate * power >= rough) * power;
  return [0, step, 2 * step];
}

export const across = (n, count) => ((n + 0.5) / count) * 100;
export const up = (value, most) => 100 - (value / most) * 100;

// A line through the values, broken where one is null.
export function lineOf(values, most) {
  return values
    .map((value, n) => {
      if (value === null) return "";
      const point = `${across(n, values.length)} ${up(value, most)}`;
      return isThere(values[n - 1]) ? `L${point}` : `M${point}`;
    })
    .join("");
}

// The values that have none beside them, of which a line shows nothing: as dots, since the ends of a stroke are round.
export function dotsOf(values, most) {
  return values
    .map((value, n) => {
      const isAlone = isThere(value) && !isThere(values[n - 1]) && !isThere(values[n + 1]);
      return isAlone ? `M${across(n, values.length)} ${up(value, most)}h0` : "";
    })
    .join("");
}

const isThere = (value) => value !== null && value !== undefined;

export function barsOf(values, most) {
  const half = 35 / values.length;
  return values
    .map((value, n) => {
      const middle = across(n, values.length);
      return value ? `M${middle - half} 100V${up(value, most)}H${middle + half}V100z` : "";
    })
    .join("");
}
