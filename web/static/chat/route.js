// The session in the URL of the page, so that a link opens a session and Back returns to the previous one.
import { ROOT } from "../shared/root.js";
import { getUser } from "./preferences.js";
import { randomId } from "../shared/random.js";

// The service's rule, but for its limit in bytes: no control, format, private, unassigned or separating characters.
const ID = /^(?!\.{1,2}$)[^\p{C}\p{Z}\ufffd]{1,255}$/u;
export const ID_RULE = "1 to 255 characters without spaces, but not . or .. alone";

export const isId = (text) => ID.test(text);

// An encoded id contains no slash, so no two sessions share a key.
export const sessionKey = ({ session_id, user_id }) => [user_id, session_id].filter(Boolean).map(encodeURIComponent).join("/");
export const isSameSession = (one, other) => sessionKey(one) === sessionKey(other);

export function newSession() {
  return { session_id: randomId("s-").slice(0, 14), user_id: getUser(), isNew: true };
}

export function sessionFromUrl() {
  const query = new URLSearchParams(location.search);
  const [session_id, user_id] = [query.get("session"), query.get("user")];
  if (!isId(session_id ?? "") || (user_id !== null && !isId(user_id))) return newSession();
  return { session_id, user_id };
}

export function sessionUrl({ session_id, user_id, isNew }) {
  if (isNew) return `${ROOT}/`;
  return `${ROOT}/?${new URLSearchParams({ session: session_id, ...(user_id && { user: user_id }) })}`;
}

export function pushSession(session) {
  const url = sessionUrl(session);
  if (url !== location.pathname + location.search) history.pushState(null, "", url);
}
