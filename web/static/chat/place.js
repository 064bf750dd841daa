// Which session the page shows, as its address says; so a link leads to a session, and Back to the one before.
import { randomId } from "./random.js";

const NAME = /^[A-Za-z0-9._~-]{1,128}$/;

export const keyOf = ({ session_id, user_id }) => (user_id ? `${user_id}/${session_id}` : session_id);
export const isSame = (one, other) => keyOf(one) === keyOf(other);

export function newSession() {
  return { session_id: randomId("s-").slice(0, 14), user_id: null, isNew: true };
}

export function sessionInAddress() {
  const query = new URLSearchParams(location.search);
  const [session_id, user_id] = [query.get("session"), query.get("user")];
  if (!NAME.test(session_id ?? "") || (user_id !== null && !NAME.test(user_id))) return newSession();
  return { session_id, user_id };
}

export function addressOf(session) {
  if (session.isNew) return "/";
  const { session_id, user_id } = session;
  return `/?${new URLSearchParams({ session: session_id, ...(user_id && { user: user_id }) })}`;
}

export function showInAddress(session, { replace = false } = {}) {
  const address = addressOf(session);
  if (address === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"](null, "", address);
}
