// The events of one turn over any number of connections: the emitted text adds up to the answer whatever happens.
import { InTurnError } from "./errors.js";
import { readEvents } from "./event_source.js";
import { backoff, sleep } from "./http.js";

const FRUITLESS_CONNECTIONS = 5; // after these in a row without a new event, the answer comes by long poll

/** Yield the events of a turn until `done`. `after` is the `id` of the last event that the caller has seen. */
export async function* streamTurn(connection, turnId, { after, signal, wait }) {
  const reader = new TurnReader(turnId, after);
  for (let fruitless = 0; fruitless < FRUITLESS_CONNECTIONS; fruitless++) {
    const body = await open(connection, reader, signal);
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
  yield* reader.end(await wait(turnId));
}

/** Return the body of a new stream; undefined if the service has no more events, or too many streams. */
async function open(connection, reader, signal) {
  const headers = { Accept: "text/event-stream", ...(reader.lastId && { "Last-Event-ID": reader.lastId }) };
  const path = `/v1/turns/${encodeURIComponent(reader.turnId)}/events`;
  try {
    const response = await connection.send("GET", path, {
      headers,
      signal,
      stream: true,
      maxRetries: connection.patience,
    });
    return response.status === 204 ? undefined : response.body;
  } catch (error) {
    if (error.code === "streams_full") return undefined;
    throw error;
  }
}

/** What one reader of a turn has received. */
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
        return this.end(event.turn, event);
      default:
        return [event]; // of a later release
    }
  }

  /** Return the part of the answer that the reader has not received, and `done`. */
  end(turn, done = { type: "done", turn_id: this.turnId, turn }) {
    if (!turn) throw new InTurnError("The session of the turn was erased.", { code: "turn_not_found", status: 404 });
    const answer = turn.output?.content;
    const about = { turn_id: turn.id, attempt: turn.attempt };
    const events = [];
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
