// The HTTP API, one function an operation. All of them raise `Refused` or `Unreachable`, or `AbortError`.
import { authorization } from "./key.js";

const ANSWER_SECONDS = 20;
const POLL_SECONDS = 10; // short, because a turn that waits for a place in a stream tells nothing in between

// The service said no, and why: `code` is stable, the message is for people.
export class Refused extends Error {
  constructor(problem, status, retryAfterSeconds) {
    super(problem.detail ?? `The service answered with ${status}.`);
    this.status = status;
    this.code = problem.code ?? "unknown";
    this.retryAfterSeconds = retryAfterSeconds;
  }

  // Another attempt can succeed, and repeats nothing as long as its key is the same.
  get passes() {
    return this.status === 429 || this.status >= 500;
  }
}

// No answer came: what was asked for may have happened, or not.
export class Unreachable extends Error {
  constructor() {
    super("The service cannot be reached.");
    this.passes = true;
  }
}

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

async function ask(method, path, { body, key, signal, seconds = ANSWER_SECONDS } = {}) {
  const limit = AbortSignal.timeout(seconds * 1000);
  const response = await call(path, {
    method,
    signal: signal ? AbortSignal.any([signal, limit]) : limit,
    body: body && JSON.stringify(body),
    headers: {
      Accept: "application/json",
      ...(body && { "Content-Type": "application/json" }),
      ...(key && { "Idempotency-Key": key }),
    },
  });
  if (response.status === 204) return null;
  return response.json().catch(unreachable);
}

async function call(path, options) {
  const headers = { ...options.headers, ...authorization() };
  const response = await fetch(path, { ...options, headers }).catch(unreachable);
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({})); // a proxy's own page is no problem of ours
  throw new Refused(problem, response.status, Number(response.headers.get("Retry-After")) || null);
}

function unreachable(error) {
  throw error.name === "AbortError" ? error : new Unreachable();
}

function pathOf({ session_id, user_id }, rest = "", more = {}) {
  return `/v1/sessions/${session_id}${rest}${query({ user_id, ...more })}`;
}

function query(fields) {
  const given = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
  return given.length ? `?${new URLSearchParams(given)}` : "";
}
