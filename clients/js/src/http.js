// Requests with retries, and the credential that they carry.
import { InTurnError, toError } from "./errors.js";

const RETRYABLE = new Set([408, 429, 502, 503, 504]);
const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 8000;
const MAX_RETRY_AFTER_SECONDS = 60; // for a longer time the error is thrown, so that the caller can decide
const TIMEOUT_MS = 15_000; // of a response, besides the time for which the request asks the service to wait
const PATIENT_RETRIES = 15; // of requests that wait for a turn: longer than a deployment takes

export class Connection {
  #token;
  #credential;

  constructor(baseUrl, { token, fetch = globalThis.fetch, maxRetries = 4 } = {}) {
    this.baseUrl = baseUrl.replace(/\/+$/, "");
    this.maxRetries = maxRetries;
    this.fetch = (...request) => fetch(...request); // a browser's fetch works on its window alone
    this.#token = token;
  }

  /** How often a request is repeated that waits for a turn. */
  get patience() {
    return this.maxRetries && Math.max(this.maxRetries, PATIENT_RETRIES);
  }

  /**
   * Return the successful response: its `status`, its `headers` and its `body`, which is JSON, or null without one.
   * With `stream: true`, `body` is the stream of its bytes, with `asBlob: true` a `Blob`. `content` is sent as it is, in
   * place of JSON. Throw an `InTurnError`. Repeating a request must be safe.
   */
  async send(method, path, { maxRetries = this.maxRetries, ...request } = {}) {
    let refreshed = false;
    for (let attempt = 1; ; attempt++) {
      const result = await this.#attempt(method, path, request);
      if (!(result instanceof InTurnError)) return result;
      if (result.status === 401 && typeof this.#token === "function" && !refreshed) {
        this.#credential = undefined; // it may have expired
        refreshed = true;
      } else {
        if (attempt > maxRetries || !isRetryable(result)) throw result;
        await sleep((result.retryAfter ?? 0) * 1000 + backoff(attempt), request.signal);
      }
    }
  }

  /** Return the response if it is a success, otherwise the error. Throw the reason of an aborted signal. */
  async #attempt(method, path, request) {
    const { query, body, content, headers, stream = false, asBlob = false, waitSeconds = 0, signal } = request;
    const abort = new AbortController();
    const forward = () => abort.abort(signal.reason);
    signal?.throwIfAborted();
    signal?.addEventListener("abort", forward);
    const timer = setTimeout(() => abort.abort(new Error("no answer in time")), TIMEOUT_MS + waitSeconds * 1000);
    try {
      const response = await this.fetch(this.#url(path, query), {
        method,
        headers: { ...(body && { "Content-Type": "application/json" }), ...headers, ...(await this.#authorization()) },
        body: content ?? (body && JSON.stringify(body)),
        signal: abort.signal,
        cache: "no-store",
      });
      if (!response.ok) return toError(response, await response.text());
      if (stream) return response;
      const { status, headers: received } = response;
      return { status, headers: received, body: asBlob ? await response.blob() : parseBody(response, await response.text()) };
    } catch (cause) {
      signal?.throwIfAborted();
      if (cause instanceof InTurnError) throw cause;
      const reason = abort.signal.aborted ? abort.signal.reason : cause;
      return new InTurnError(`${this.baseUrl} cannot be reached: ${reason.message}.`, { code: "unreachable", cause });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", forward);
    }
  }

  #url(path, query = {}) {
    const given = Object.entries(query).filter(([, value]) => value != null);
    return `${this.baseUrl}${path}${given.length ? `?${new URLSearchParams(given)}` : ""}`;
  }

  async #authorization() {
    this.#credential ??= typeof this.#token === "function" ? await this.#token() : this.#token;
    return this.#credential ? { Authorization: `Bearer ${this.#credential}` } : {};
  }
}

function isRetryable(error) {
  if (error.code === "streams_full") return false; // a long poll gets the answer sooner than another attempt
  if ((error.retryAfter ?? 0) > MAX_RETRY_AFTER_SECONDS) return false;
  return error.code === "unreachable" || RETRYABLE.has(error.status);
}

function parseBody(response, text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch (cause) {
    const { status } = response;
    throw new InTurnError("The response is not JSON. Is the URL right?", { code: "not_inturn", status, cause });
  }
}

/** Return a random time in ms that grows with the attempt, so that clients that failed together spread out. */
export function backoff(attempt) {
  return Math.random() * Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempt - 1));
}

/** Wait for this time, or throw the signal's reason when it is aborted. */
export function sleep(ms, signal) {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      if (signal?.aborted) reject(signal.reason);
      else resolve();
    };
    const timer = setTimeout(end, ms);
    if (signal?.aborted) end();
    else signal?.addEventListener("abort", end);
  });
}
