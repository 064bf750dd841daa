// The HTTP API, one function per operation. All of them throw `ApiError`, `NetworkError` or `AbortError`.
import { randomId } from "../shared/random.js";
import { queryString, request, REQUEST_TIMEOUT_SECONDS, requestJson } from "../shared/http.js";

// Short, because a turn that is polled reports nothing until it ends, and a stream may become free meanwhile.
const LONG_POLL_SECONDS = 10;

export const listAssistants = () => requestJson("GET", "/v1/assistants");
export const listSessions = (after) => requestJson("GET", `/v1/sessions${queryString({ limit: 30, after })}`);
export const getSession = (session) => requestJson("GET", sessionPath(session));
export const listMessages = (session, after) =>
  requestJson("GET", sessionPath(session, "/messages", { order: "desc", limit: 100, after }));
export const listUnanswered = (session) => requestJson("GET", sessionPath(session, "/unanswered"));
export const listFirstMessage = (session) => requestJson("GET", sessionPath(session, "/messages", { limit: 1 }));
export const listTurns = ({ session_id, user_id }, after) =>
  requestJson("GET", `/v1/turns${queryString({ session_id, user_id, limit: 100, after })}`);
export const listNewestTurn = ({ session_id, user_id }) =>
  requestJson("GET", `/v1/turns${queryString({ session_id, user_id, limit: 1 })}`);
export const getTurn = (id, signal) => requestJson("GET", `/v1/turns/${id}`, { signal });
export const waitForTurn = (id, signal) => {
  const timeoutSeconds = LONG_POLL_SECONDS + REQUEST_TIMEOUT_SECONDS;
  return requestJson("GET", `/v1/turns/${id}?wait=${LONG_POLL_SECONDS}`, { signal, timeoutSeconds });
};
export const submitTurn = (body, key) => requestJson("POST", "/v1/turns", { body, key });
export const cancelTurn = (id) => requestJson("POST", `/v1/turns/${id}/cancel`);
export const stopTurn = (id) => requestJson("POST", `/v1/turns/${id}/cancel`, { body: { keep: true } });
export const regenerateTurn = (id, body, key) => requestJson("POST", `/v1/turns/${id}/regenerate`, { body, key });
export const forkSession = (session, turn) =>
  requestJson("POST", sessionPath(session, "/fork"), { body: { through_turn: turn.id }, key: randomId("fork-") });
export const retryTurn = (id, key) => requestJson("POST", `/v1/turns/${id}/retry`, { key });
export const renameSession = (session, title) =>
  requestJson("PATCH", sessionPath(session), { body: { title } });
export const deleteSession = (session) => requestJson("DELETE", sessionPath(session));

// Return the open event stream. There is no timeout, because the stream lasts as long as the session is shown.
export function openEvents(session, after, signal) {
  const headers = { Accept: "text/event-stream", ...(after && { "Last-Event-ID": after }) };
  return request(sessionPath(session, "/events"), { headers, signal });
}

function sessionPath({ session_id, user_id }, suffix = "", fields = {}) {
  return `/v1/sessions/${encodeURIComponent(session_id)}${suffix}${queryString({ user_id, ...fields })}`;
}
