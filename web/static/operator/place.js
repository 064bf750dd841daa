// What the page shows, as its address says: a view and its filters. So a look can be sent to somebody, and Back works.

const FIELDS = {
  overview: ["minutes"],
  live: ["status", "tenant", "worker", "text"],
  turn: ["id"],
  session: ["tenant", "session_id", "user_id"],
  failed: ["code", "after"],
  workers: [],
};
const TURN_ID = /^turn_[0-9a-f]{32}$/;

export const SPANS = { 15: "15 min", 360: "6 h", 1440: "24 h" };

export function placeIn(search) {
  const query = Object.fromEntries(new URLSearchParams(search));
  const view = Object.hasOwn(FIELDS, query.view ?? "") ? query.view : "overview";
  const place = { view };
  for (const field of FIELDS[view]) if (query[field]) place[field] = query[field];
  if (!Object.hasOwn(SPANS, place.minutes ?? "")) delete place.minutes;
  return place;
}

export function addressOf({ view, ...fields }) {
  const named = { ...(view !== "overview" && { view }), ...fields };
  const given = Object.entries(named).filter(([, value]) => value);
  return given.length ? `/operator?${new URLSearchParams(given)}` : "/operator";
}

export const placeOfSession = ({ tenant, session_id, user_id }) => ({ view: "session", tenant, session_id, user_id });

// Where somebody is led who looks for this: a turn by its id, else the live turns that have it in one of their ids.
export function placeToFind(text) {
  const wanted = text.trim();
  return TURN_ID.test(wanted) ? { view: "turn", id: wanted } : { view: "live", text: wanted };
}
