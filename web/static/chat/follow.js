// Follow a session over as many connections as necessary. Aborting never cancels a turn.
import * as api from "./api.js";
import { delay } from "./delay.js";
import { readEvents } from "./sse.js";
import { acquireStreamSlot } from "./stream_slots.js";

const MAX_DELAY_SECONDS = 5;
const POLL_SECONDS = 1.5;
const IDLE_POLL_SECONDS = 5; // without a live turn; the page notices new ones in the list of sessions

// Call `onEvent` with each event after `cursor`, and `onConnection` with "open", "polling", "idle" or
// "reconnecting". `head` returns the id of the turn to poll when there is no stream. Return when the session does not exist
// any more.
export async function follow(session, { cursor, head, onEvent, onConnection, signal }) {
  let failures = 0;
  const onSuccess = (connection) => ((failures = 0), onConnection(connection));
  const options = { head, onEvent, onSuccess, signal };
  while (!signal.aborted) {
    const releaseSlot = await acquireStreamSlot();
    try {
      const isOver = releaseSlot ? await streamOrLongPoll(session, cursor, options) : await poll(options);
      if (isOver || signal.aborted) return;
    } catch (error) {
      if (signal.aborted) return;
      if (error.code === "session_not_found") return onEvent({ type: "erased" });
    } finally {
      releaseSlot?.();
    }
    // Reconnect at once the first time: a web process that shuts down closes its streams, and another one answers.
    if (failures++ > 0) onConnection("reconnecting");
    await delay(Math.min(MAX_DELAY_SECONDS, failures ** 2 * 0.2), signal);
  }
}

// The functions below return true if the session was erased.

async function streamOrLongPoll(session, cursor, options) {
  try {
    return await stream(session, cursor, options);
  } catch (error) {
    if (error.code !== "streams_full") throw error;
    return poll(options, api.waitForTurn);
  }
}

async function stream(session, cursor, { onEvent, onSuccess, signal }) {
  const response = await api.openEvents(session, cursor.id, signal);
  for await (const event of readEvents(response)) {
    if (signal.aborted) return true;
    onSuccess("open");
    cursor.id = event.id ?? cursor.id;
    onEvent(event);
    if (event.type === "erased") return true;
  }
  return false;
}

async function poll({ head, onEvent, onSuccess, signal }, getTurn = api.getTurn) {
  const id = head();
  onSuccess(id ? "polling" : "idle");
  if (id) await readTurn(id, getTurn, { onEvent, signal });
  if (getTurn === api.getTurn || !id) await delay(id ? POLL_SECONDS : IDLE_POLL_SECONDS, signal);
  return false;
}

async function readTurn(id, getTurn, { onEvent, signal }) {
  try {
    const record = await getTurn(id, signal);
    const isLive = record.status === "queued" || record.status === "in_progress";
    onEvent(isLive ? { type: "status", data: { ...record, turn_id: id } } : { type: "done", data: { turn_id: id, turn: record } });
  } catch (error) {
    if (error.status !== 404 && error.status !== 410) throw error;
    onEvent({ type: "done", data: { turn_id: id, turn: null } });
  }
}
