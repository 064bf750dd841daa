// How the pages call the service. What goes wrong is `Refused` or `Unreachable`, or `AbortError`.
import { authorization } from "./key.js";

export const ANSWER_SECONDS = 20;

let aheadMs = 0; // the service's clock, of this machine's

// What time it is where the instants come from (ms).
export const serverNow = () => Date.now() + aheadMs;

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

// One JSON call; null where there is nothing to say. It is given up after so many seconds.
export async function ask(method, path, { body, key, signal, seconds = ANSWER_SECONDS } = {}) {
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

// The open response; its body is the caller's to read.
export async function call(path, options) {
  const headers = { ...options.headers, ...authorization() };
  const response = await fetch(path, { ...options, headers }).catch(unreachable);
  setClock(response.headers.get("Date"));
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({})); // a proxy's own page is no problem of ours
  throw new Refused(problem, response.status, Number(response.headers.get("Retry-After")) || null);
}

function unreachable(error) {
  throw error.name === "AbortError" ? error : new Unreachable();
}

// The header has whole seconds: less than two of difference are none.
function setClock(date) {
  const ahead = Date.parse(date) - Date.now();
  if (Number.isFinite(ahead)) aheadMs = Math.abs(ahead) > 2000 ? ahead : 0;
}

// `?name=value`, of those that have a value.
export function query(fields) {
  const given = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
  return given.length ? `?${new URLSearchParams(given)}` : "";
}
