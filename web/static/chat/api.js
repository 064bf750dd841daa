// The HTTP API, one function an operation. All of them raise `Refused` or `Unreachable`, or `AbortError`.
import { ANSWER_SECONDS, ask, call, query } from "../shared/http.js";

const POLL_SECONDS = 10; // short, because a turn that waits for a place in a stream tells nothing in between

export const assistants = () => ask("GET", "/v1/assistants");
export const sessions = (after) => ask("GET", `/v1/sessions${query({ limit: 30, after })}`);
export const session = (of) => ask("GET", pathOf(of));
export const messages = (of, after) =>
  ask("GET", pathOf(of, "/messages", { order: "desc", limit: 100, after }));
export const firstMessage = (of) => ask("GET", pathOf(of, "/messages", { limit: 1 }));
export const turns = ({ session_id, user_id }, after) =>
  ask("GET", `/v1/turns${query({ session_id, user_id, limit: 100, after })}`);
export const newestTurn = ({ session_id, user_id }) =>
  ask("GET", `/v1/turns${query({ session_id, user_id, limit: 1 })}`);
export const turn = (id, signal) => ask("GET", `/v1/turns/${id}`, { signal });
export const endOfTurn = (id, signal) =>
  ask("GET", `/v1/turns/${id}?wait=${POLL_SECONDS}`, { signal, seconds: POLL_SECONDS + ANSWER_SECONDS });
export const submit = (body, key) => ask("POST", "/v1/turns", { body, key });
export const cancel = (id) => ask("POST", `/v1/turns/${id}/cancel`);
export const retry = (id, key) => ask("POST", `/v1/turns/${id}/retry`, { key });
export const erase = (of) => ask("DELETE", pathOf(of));

// The open response; its body goes on for as long as the turn does.
export function events(turnId, after, signal) {
  const headers = { Accept: "text/event-stream", ...(after && { "Last-Event-ID": after }) };
  return call(`/v1/turns/${turnId}/events`, { headers, signal });
}

function pathOf({ session_id, user_id }, rest = "", more = {}) {
  return `/v1/sessions/${session_id}${rest}${query({ user_id, ...more })}`;
}
