// The session in the URL of the page, so that a link opens a session and Back returns to the previous one.
import { ROOT } from "../shared/root.js";
import { getUser } from "./preferences.js";
import { randomId } from "./random.js";

const NAME = /^[A-Za-z0-9._~-]{1,128}$/;
export const NAME_RULE = "1 to 128 letters, digits and . _ ~ -, but not . or .. or - alone";

export const isName = (text) => NAME.test(text) && ![".", "..", "-"].includes(text);

export const sessionKey = ({ session_id, user_id }) => (user_id ? `${user_id}/${session_id}` : session_id);
export const isSameSession = (one, other) => sessionKey(one) === sessionKey(other);

export function newSession() {
  return { session_id: randomId("s-").slice(0, 14), user_id: getUser(), isNew: true };
}

export function sessionFromUrl() {
  const query = new URLSearchParams(location.search);
  const [session_id, user_id] = [query.get("session"), query.get("user")];
  if (!isName(session_id ?? "") || (user_id !== null && !isName(user_id))) return newSession();
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
