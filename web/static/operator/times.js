// Times in words. Instants are UTC, as in the logs; ages are by the service's clock.
import { serverNow } from "../shared/http.js";
import { html } from "../shared/ui.js";

export const NOTHING = "–";

export function seconds(number) {
  if (number === null || number === undefined) return NOTHING;
  if (number === 0) return "0 s";
  if (number < 0.1) return `${number.toFixed(2)} s`;
  if (number < 10) return `${number.toFixed(1)} s`;
  if (number < 100) return `${Math.round(number)} s`;
  const minutes = Math.floor(number / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(number % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export const between = (from, to) => Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
export const age = (instant) => Math.max(0, (serverNow() - Date.parse(instant)) / 1000);
export const clock = (instant) => instant.slice(11, 23);
export const minute = (instant) => instant.slice(11, 16);
export const inUtc = (instant) => `${instant.slice(0, 10)} ${clock(instant)} UTC`;

// How long ago that was; until it has come, how long until then.
export function Ago({ at }) {
  const left = (Date.parse(at) - serverNow()) / 1000;
  const words = left > 0 ? `in ${seconds(left)}` : seconds(-left);
  return html`<time datetime=${at} title=${inUtc(at)}>${words}</time>`;
}
