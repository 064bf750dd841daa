// HTTP calls to the service. They throw `ApiError`, `NetworkError` or `AbortError`.
import { authorization } from "./api_key.js";
import { ROOT } from "./root.js";

export const REQUEST_TIMEOUT_SECONDS = 20;

let clockOffsetMs = 0; // the service's clock minus this machine's

// Return the service's time in milliseconds. Timestamps in responses come from that clock.
export const serverNow = () => Date.now() + clockOffsetMs;

// The service answered with an error. `code` is stable; the message is for people.
export class ApiError extends Error {
  constructor(problem, status, retryAfterSeconds) {
    super(problem.detail ?? `The service answered with status ${status}.`);
    this.status = status;
    this.code = problem.code ?? "unknown";
    this.retryAfterSeconds = retryAfterSeconds;
  }

  // True if the same request may succeed later. Retrying is safe with the same idempotency key.
  get isRetryable() {
    return this.status === 429 || this.status >= 500;
  }
}

// No response arrived, so it is not known whether the request took effect.
export class NetworkError extends Error {
  constructor() {
    super("The service cannot be reached.");
    this.isRetryable = true;
  }
}

// Send one JSON request and return the decoded body, or null for 204. Abort after `timeoutSeconds`.
export async function requestJson(method, path, { body, key, signal, timeoutSeconds = REQUEST_TIMEOUT_SECONDS } = {}) {
  const timeout = AbortSignal.timeout(timeoutSeconds * 1000);
  const response = await request(path, {
    method,
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    body: body && JSON.stringify(body),
    headers: {
      Accept: "application/json",
      ...(body && { "Content-Type": "application/json" }),
      ...(key && { "Idempotency-Key": key }),
    },
  });
  if (response.status === 204) return null;
  return response.json().catch(throwNetworkError);
}

// Return the open response; the caller reads the body.
export async function request(path, options) {
  const headers = { ...options.headers, ...authorization() };
  const response = await fetch(ROOT + path, { ...options, headers }).catch(throwNetworkError);
  updateClockOffset(response.headers.get("Date"));
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({})); // a proxy's own error page is not JSON
  throw new ApiError(problem, response.status, Number(response.headers.get("Retry-After")) || null);
}

function throwNetworkError(error) {
  throw error.name === "AbortError" ? error : new NetworkError();
}

// The Date header has a resolution of one second, so smaller differences are not a clock offset.
function updateClockOffset(date) {
  const offset = Date.parse(date) - Date.now();
  if (Number.isFinite(offset)) clockOffsetMs = Math.abs(offset) > 2000 ? offset : 0;
}

// Return `?name=value…` for the fields that have a value.
export function queryString(fields) {
  const given = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
  return given.length ? `?${new URLSearchParams(given)}` : "";
}
