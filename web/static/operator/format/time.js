// Formatting of times. Timestamps are UTC, as in the logs; ages are relative to the service's clock.
import { serverNow } from "../../shared/http.js";
import { html } from "../../shared/ui.js";

export const NO_VALUE = "–";

export function formatDuration(seconds) {
  if (seconds === null || seconds === undefined) return NO_VALUE;
  if (seconds === 0) return "0 s";
  if (seconds < 0.1) return `${seconds.toFixed(2)} s`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 100) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export const secondsBetween = (from, to) => Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
export const formatTime = (timestamp) => timestamp.slice(11, 23);
export const formatMinute = (timestamp) => timestamp.slice(11, 16);
// Return both times for a tooltip: that of the reader and that of the logs.
export function formatLocalAndUtc(timestamp) {
  const local = new Date(timestamp).toLocaleString("en", { dateStyle: "medium", timeStyle: "long", hourCycle: "h23" });
  return `${local}\n${timestamp.slice(0, 10)} ${formatTime(timestamp)} UTC`;
}

// The time since `at`, followed by `suffix`; "in …" if `at` is in the future.
export function RelativeTime({ at, suffix = "" }) {
  const left = (Date.parse(at) - serverNow()) / 1000;
  const text = left > 0 ? `in ${formatDuration(left)}` : `${formatDuration(-left)}${suffix}`;
  return html`<time datetime=${at} title=${formatLocalAndUtc(at)}>${text}</time>`;
}

// A point in time, in UTC: the time of day, or the date and the minute.
export function Instant({ at, hasDate = false }) {
  const text = hasDate ? `${formatDate(at)}, ${formatMinute(at)}` : at.slice(11, 19);
  return html`<time datetime=${at} title=${formatLocalAndUtc(at)}>${text} UTC</time>`;
}

const formatDate = (timestamp) => new Date(timestamp).toLocaleDateString("en", { month: "short", day: "numeric", year: "numeric", timeZone: "UTC" });
