// Events over any number of connections.
import { InTurnError } from "./errors.js";
import { readEvents } from "./event_source.js";
import { backoff, sleep } from "./http.js";

const FRUITLESS_CONNECTIONS = 5; // after these in a row without a new event, the answer comes by long poll

/**
 * Yield the events of a turn until `done`. `after` is the `id` of the last event that the caller has seen.
 *
 * The text of the events adds up to the answer, whatever happens to the connections.
 */
export async function* streamTurn(connection, turnId, { after, signal, wait }) {
  const reader = new TurnReader(turnId, after);
  let body;
  for (let fruitless = 0; fruitless < FRUITLESS_CONNECTIONS; fruitless++) {
    body = await openTurn(connection, reader, signal);
    if (!body) break;
    for await (const sent of readEvents(body, signal)) {
      if (sent.id && sent.id !== reader.lastId) fruitless = -1;
      for (const event of reader.read(sent)) {
        yield event;
        if (event.type === "done") return;
      }
    }
    await sleep(backoff(Math.max(fruitless, 0) + 1), signal);
  }
  yield* reader.end(await wait(turnId), { hasSeenAll: body === null });
}

/**
 * Yield the events of all turns of a session, beginning with a `snapshot`. They end with `erased`, or, if the query has
 * `until=idle`, when no turn is live.
 */
export async function* streamSession(connection, path, { query, after, signal }) {
  let lastId = after;
  for (let fruitless = 0; ; fruitless++) {
    const body = await open(connection, path, { query, lastId, signal });
    if (!body) return;
    for await (const { name, data, id } of readEvents(body, signal)) {
      if (id && id !== lastId) [lastId, fruitless] = [id, 0];
      yield { type: name, ...(id && { id }), ...parse(data) };
      if (name === "erased") return;
    }
    await sleep(backoff(fruitless + 1), signal);
  }
}

/** Return the body of a new stream; null if the service has no more events. */
async function open(connection, path, { query, lastId, signal }) {
  const headers = { Accept: "text/event-stream", ...(lastId && { "Last-Event-ID": lastId }) };
  const response = await connection.send("GET", path, {
    headers,
    query,
    signal,
    stream: true,
    maxRetries: connection.patience,
  });
  return response.status === 204 ? null : response.body;
}

/** Return like `open`; undefined also if the service has too many streams, and the answer must come by long poll. */
async function openTurn(connection, reader, signal) {
  const path = `/v1/turns/${encodeURIComponent(reader.turnId)}/events`;
  try {
    return await open(connection, path, { lastId: reader.lastId, signal });
  } catch (error) {
    if (error.code === "streams_full") return undefined;
    throw error;
  }
}

/** The events that one reader of a turn has received. */
class TurnReader {
  #text; // of the current attempt; undefined if the reader began in the middle
  #status;

  constructor(turnId, after) {
    this.turnId = turnId;
    this.lastId = after;
    this.#text = after ? undefined : "";
  }

  /** Return the events that a server-sent event is for the caller. */
  read({ name, data, id }) {
    if (id) this.lastId = id;
    const event = { type: name, ...(id && { id }), ...parse(data) };
    switch (name) {
      case "status":
        // Every connection begins with the current status.
        if (this.#status === data) return [];
        this.#status = data;
        return [event];
      case "delta":
        if (this.#text !== undefined) this.#text += event.text;
        return [event];
      case "reset":
        this.#text = "";
        return [event];
      case "done":
        return this.end(event.turn, { done: event, hasSeenAll: true });
      default:
        return [event]; // of a later release
    }
  }

  /** Return the part of the answer that the reader has not received, and `done`. */
  end(turn, { hasSeenAll, done = { type: "done", turn_id: this.turnId, attempt: turn?.attempt, turn } }) {
    if (!turn) throw new InTurnError("The session of the turn was erased.", { code: "turn_not_found", status: 404 });
    const answer = turn.output?.content;
    const about = { turn_id: turn.id, attempt: turn.attempt };
    const events = [];
    if (answer != null && this.#text === undefined && !hasSeenAll) {
      this.#text = "";
      events.push({ type: "reset", ...about, reason: "replaced" });
    }
    if (answer != null && this.#text !== undefined && this.#text !== answer) {
      const isBeginning = answer.startsWith(this.#text);
      if (!isBeginning) events.push({ type: "reset", ...about, reason: "replaced" });
      events.push({ type: "delta", ...about, text: isBeginning ? answer.slice(this.#text.length) : answer });
    }
    return [...events, done];
  }
}

function parse(data) {
  try {
    return JSON.parse(data);
  } catch (cause) {
    throw new InTurnError("The event is not JSON. Is the URL right?", { code: "not_inturn", cause });
  }
}
