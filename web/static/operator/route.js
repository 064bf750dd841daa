// The route of the page: a view and its filters, stored in the URL so that Back works and views can be shared as links.
import { ROOT } from "../shared/root.js";

export const PATH = `${ROOT}/operator`; // of the page itself

const FIELDS = {
  overview: ["minutes"],
  live: ["status", "tenant", "worker", "text"],
  turn: ["id"],
  session: ["tenant", "session_id", "user_id"],
  failed: ["code", "after"],
  workers: [],
};
const TURN_ID = /^turn_[0-9a-f]{32}$/;

export const TIME_RANGES = { 15: "15 min", 360: "6 h", 1440: "24 h" }; // by minutes

export function parseRoute(search) {
  const query = Object.fromEntries(new URLSearchParams(search));
  const view = Object.hasOwn(FIELDS, query.view ?? "") ? query.view : "overview";
  const route = { view };
  for (const field of FIELDS[view]) if (query[field]) route[field] = query[field];
  if (!Object.hasOwn(TIME_RANGES, route.minutes ?? "")) delete route.minutes;
  return route;
}

export function urlOf({ view, ...fields }) {
  const named = { ...(view !== "overview" && { view }), ...fields };
  const given = Object.entries(named).filter(([, value]) => value);
  return given.length ? `${PATH}?${new URLSearchParams(given)}` : PATH;
}

export const sessionRoute = ({ tenant, session_id, user_id }) => ({ view: "session", tenant, session_id, user_id });

// Return the view that answers a search: the turn with this id, or the live turns whose ids contain the text.
export function searchRoute(text) {
  const query = text.trim();
  return TURN_ID.test(query) ? { view: "turn", id: query } : { view: "live", text: query };
}
