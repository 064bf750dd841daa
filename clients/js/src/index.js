import { InTurnError } from "./errors.js";
import { Connection, sleep } from "./http.js";
import { streamSession, streamTurn } from "./streams.js";

export { InTurnError };

const MAX_WAIT_SECONDS = 25; // of one long poll
const TRANSFER_SECONDS = 120; // of a file
const PAGE_SIZE = 50;
const MAX_NAME_CHARACTERS = 200; // of a file
const LIVE = new Set(["queued", "in_progress"]); // a later release may add statuses of ended turns

/**
 * A client of one InTurn service. Bodies and results are those of the HTTP API.
 *
 * Every method takes a `signal`, and throws its reason when it is aborted, or an `InTurnError`.
 */
export class InTurn {
  #connection;

  /**
   * `token` is an API key or an access token, or a function that returns one, or a promise of one; it is called again
   * when the service refuses the last one. `fetch` replaces the global one. `maxRetries` of 0 repeats no request.
   */
  constructor(baseUrl, options) {
    this.#connection = new Connection(baseUrl, options);
  }

  get baseUrl() {
    return this.#connection.baseUrl;
  }

  /** Submit a turn and return it. Without an `idempotencyKey`, a random one makes the retries of this call safe. */
  async submit(body, { idempotencyKey = randomKey(), ifVersion, signal } = {}) {
    const headers = { "Idempotency-Key": idempotencyKey, ...(ifVersion != null && { "If-Match": `"${ifVersion}"` }) };
    return this.#fetch("POST", "/v1/turns", { body, headers, signal });
  }

  /** Return the turn as it is now. */
  async get(turnId, { signal } = {}) {
    return this.#fetch("GET", turnPath(turnId), { signal });
  }

  /** Return the turn when it has ended. After `timeoutSeconds`, throw `still_running`, whose `turn` is the turn. */
  async wait(turnId, { timeoutSeconds = Infinity, signal } = {}) {
    const deadline = Date.now() + timeoutSeconds * 1000;
    for (;;) {
      const startedAt = Date.now();
      const waitSeconds = Math.max(0, Math.min(MAX_WAIT_SECONDS, (deadline - startedAt) / 1000));
      const turn = await this.#fetch("GET", turnPath(turnId), {
        query: { wait: waitSeconds },
        waitSeconds,
        signal,
        maxRetries: this.#connection.patience,
      });
      if (!LIVE.has(turn.status)) return turn;
      if (Date.now() >= deadline) throw new InTurnError("The turn has not ended yet.", { code: "still_running", turn });
      // The service has too many long polls, or is about to stop.
      if (Date.now() - startedAt < waitSeconds * 500) await sleep(1000, signal);
    }
  }

  /**
   * Yield the events of a turn until `done`, across broken connections: `status`, `delta`, `reset`, `done`.
   *
   * After `reset`, the text so far is void. The events that the service stores have an `id`; `after` continues after
   * one, also in another process or page.
   */
  stream(turnId, { after, signal } = {}) {
    return streamTurn(this.#connection, turnId, { after, signal, wait: (id) => this.wait(id, { signal }) });
  }

  /**
   * Yield the events of all turns of a session, of any page or device: `snapshot` first, unless `after` continues after
   * an event; then what the API reference names. With `untilIdle`, they end when no turn is live.
   */
  streamSession(sessionId, { userId, after, untilIdle = false, signal } = {}) {
    const query = { user_id: userId, until: untilIdle ? "idle" : undefined };
    return streamSession(this.#connection, `${sessionPath(sessionId)}/events`, { query, after, signal });
  }

  /** Submit a turn, call `onText` with the whole text so far each time that it changes, and return the ended turn. */
  async ask(body, { onText, signal, ...options } = {}) {
    const { id } = await this.submit(body, { signal, ...options });
    let text = "";
    for await (const event of this.stream(id, { signal })) {
      if (event.type === "done") return event.turn;
      if (event.type !== "delta" && event.type !== "reset") continue;
      text = event.type === "reset" ? "" : text + event.text;
      onText?.(text);
    }
    return this.wait(id, { signal });
  }

  /** Cancel a turn and return it; one that has ended stays as it is. */
  async cancel(turnId, { signal } = {}) {
    return this.#fetch("POST", `${turnPath(turnId)}/cancel`, { signal });
  }

  /** Submit the input of a failed turn again, as a new turn at the end of its session. */
  async retry(turnId, { idempotencyKey = randomKey(), signal } = {}) {
    const headers = { "Idempotency-Key": idempotencyKey };
    return this.#fetch("POST", `${turnPath(turnId)}/retry`, { headers, signal });
  }

  /** Yield turns, newest first: all that the token allows, or those of a session, a user or a status. */
  turns({ sessionId, userId, status, signal } = {}) {
    return this.#pages("/v1/turns", { session_id: sessionId, user_id: userId, status }, signal);
  }

  /** Yield the committed messages of a session, oldest first. */
  messages(sessionId, { userId, signal } = {}) {
    return this.#pages(`${sessionPath(sessionId)}/messages`, { user_id: userId }, signal);
  }

  /** Return the last questions of a session that failed, expired or were cancelled, oldest first. */
  async unanswered(sessionId, { userId, signal } = {}) {
    return (await this.#fetch("GET", `${sessionPath(sessionId)}/unanswered`, { query: { user_id: userId }, signal })).data;
  }

  /**
   * Store a file, a `Blob`, bytes or a text, and return it, with `part`, which refers to it in an input.
   *
   * A `File` has its own name. The service recognizes the type by the content unless `mediaType` is given.
   */
  async upload(content, { name = content.name, mediaType = "application/octet-stream", userId, sessionId, signal } = {}) {
    const query = { name: name?.replaceAll(/[/\\"]/g, "_").slice(0, MAX_NAME_CHARACTERS), user_id: userId, session_id: sessionId };
    const headers = { "Content-Type": mediaType };
    const file = await this.#fetch("POST", "/v1/files", { query, content, headers, waitSeconds: TRANSFER_SECONDS, signal });
    const type = file.media_type.startsWith("image/") ? "image" : "file";
    return { ...file, part: { type, file_id: file.id } };
  }

  /** Return the content of a file as a `Blob` with its type, such as an image of an answer. */
  async download(fileId, { userId, sessionId, signal } = {}) {
    const query = { user_id: userId, session_id: sessionId };
    return this.#fetch("GET", filePath(fileId), { query, asBlob: true, waitSeconds: TRANSFER_SECONDS, signal });
  }

  /** Delete a file that no turn and no session refers to. */
  async deleteFile(fileId, { userId, sessionId, signal } = {}) {
    const query = { user_id: userId, session_id: sessionId };
    await this.#connection.send("DELETE", filePath(fileId), { query, signal });
  }

  /** Return a new access token for a page, with its text as `token`. Needs an API key, so call it in your backend. */
  async createToken(body, { signal } = {}) {
    return this.#fetch("POST", "/v1/tokens", { body, signal });
  }

  /** Return the state of a session. */
  async session(sessionId, { userId, signal } = {}) {
    return this.#fetch("GET", sessionPath(sessionId), { query: { user_id: userId }, signal });
  }

  /** Erase a session: its live turns are cancelled, its history, turns and results deleted. */
  async erase(sessionId, { userId, signal } = {}) {
    await this.#connection.send("DELETE", sessionPath(sessionId), { query: { user_id: userId }, signal });
  }

  async *#pages(path, filter, signal) {
    let after;
    do {
      const page = await this.#fetch("GET", path, { query: { ...filter, limit: PAGE_SIZE, after }, signal });
      yield* page.data;
      after = page.after;
    } while (after != null);
  }

  async #fetch(method, path, request) {
    return (await this.#connection.send(method, path, request)).body;
  }
}

/** Return 128 random bits as text. Node 18 has no global `crypto`, and `randomUUID` exists only on pages with TLS. */
function randomKey() {
  const bytes = new Uint8Array(16);
  if (globalThis.crypto) crypto.getRandomValues(bytes);
  else bytes.forEach((_, at) => (bytes[at] = Math.random() * 256));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const turnPath = (turnId) => `/v1/turns/${encodeURIComponent(turnId)}`;
const filePath = (fileId) => `/v1/files/${encodeURIComponent(fileId)}`;
const sessionPath = (sessionId) => `/v1/sessions/${encodeURIComponent(sessionId)}`;
