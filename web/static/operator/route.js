// The URL of a route: a view and its filters, so that Back works and views can be shared as links.
import { ROOT } from "../shared/root.js";

export const PATH = `${ROOT}/operator`; // of the page itself

const TURN_ID = /^turn_[0-9a-f]{32}$/;

export const TIME_RANGES = { 15: "15 min", 360: "6 h", 1440: "24 h" }; // by minutes
const DEFAULT_MINUTES = "15";

export const minutesOf = ({ minutes }) => (Object.hasOwn(TIME_RANGES, minutes ?? "") ? minutes : DEFAULT_MINUTES);

export function urlOf({ view, ...fields }) {
  const named = { ...(view !== "overview" && { view }), ...fields };
  const given = Object.entries(named).filter(([, value]) => value);
  return given.length ? `${PATH}?${new URLSearchParams(given)}` : PATH;
}

export const sessionRoute = ({ tenant, session_id, user_id }) => ({ view: "session", tenant, session_id, user_id });

// Return the view that answers a search: the turn with this id, or what else the text names.
export function searchRoute(text) {
  const query = text.trim();
  return TURN_ID.test(query) ? { view: "turn", id: query } : { view: "find", q: query };
}
