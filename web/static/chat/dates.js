// Times of messages, and the groups of the list of chats, in the time zone of the browser.
import { html } from "../shared/ui.js";

const DAY_MS = 86_400_000;
const GROUPS = [
  { label: "Today", days: 0 },
  { label: "Yesterday", days: 1 },
  { label: "Previous 7 days", days: 7 },
  { label: "Previous 30 days", days: 30 },
];

// Return the label of the group for a chat that was last active at this time.
export function dateGroup(timestamp, now = new Date()) {
  // Rounding hides the hour by which days with a change to or from summer time are shorter or longer.
  const days = timestamp ? Math.round((startOfDay(now) - startOfDay(new Date(timestamp))) / DAY_MS) : 0;
  return GROUPS.find((group) => days <= group.days)?.label ?? "Older";
}

// The time, with the day if it is not today, and with the full date as a tooltip.
export function Time({ at }) {
  const date = new Date(at);
  const day = dateGroup(at) === "Today" ? {} : { weekday: "short", day: "numeric", month: "short" };
  const label = date.toLocaleString([], { ...day, hour: "numeric", minute: "2-digit" });
  const full = date.toLocaleString([], { dateStyle: "full", timeStyle: "medium" });
  return html`<time datetime=${at} title=${full}>${label}</time>`;
}

function startOfDay(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}
