// Follow one turn to its end, over as many connections as necessary. Aborting never cancels the turn.
import * as api from "./api.js";
import { delay } from "./delay.js";
import { readEvents } from "./sse.js";
import { acquireStreamSlot } from "./stream_slots.js";

const MAX_DELAY_SECONDS = 5;
const POLL_SECONDS = 1.5;

// Call `onEvent` with each event after `cursor`, and `onConnection` with "open", "polling" or "reconnecting". Return when
// the turn has ended.
export async function follow(turnId, { cursor, onEvent, onConnection, signal }) {
  let failures = 0;
  const onSuccess = (connection) => ((failures = 0), onConnection(connection));
  const options = { onEvent, onSuccess, signal };
  while (!signal.aborted) {
    const releaseSlot = await acquireStreamSlot();
    try {
      const isOver = releaseSlot ? await streamOrLongPoll(turnId, cursor, options) : await poll(turnId, options);
      if (isOver || signal.aborted) return;
    } catch (error) {
      if (signal.aborted) return;
      if (error.status === 404 || error.status === 410) return onEvent({ type: "gone" });
    } finally {
      releaseSlot?.();
    }
    // Reconnect at once the first time: a web process that shuts down closes its streams, and another one answers.
    if (failures++ > 0) onConnection("reconnecting");
    await delay(Math.min(MAX_DELAY_SECONDS, failures ** 2 * 0.2), signal);
  }
}

// The functions below return true if the turn is over.

async function streamOrLongPoll(turnId, cursor, options) {
  try {
    return await stream(turnId, cursor, options);
  } catch (error) {
    if (error.code !== "streams_full") throw error;
    options.onSuccess("polling");
    return emitRecord(await api.waitForTurn(turnId, options.signal), options.onEvent);
  }
}

async function stream(turnId, cursor, { onEvent, onSuccess, signal }) {
  const response = await api.openEvents(turnId, cursor.id, signal);
  if (response.status === 204) return emitRecord(await api.getTurn(turnId, signal), onEvent); // it ended while disconnected
  for await (const event of readEvents(response)) {
    if (signal.aborted) return true;
    onSuccess("open");
    cursor.id = event.id ?? cursor.id;
    onEvent(event);
    if (event.type === "done") return true;
  }
  return false;
}

async function poll(turnId, { onEvent, onSuccess, signal }) {
  const isOver = emitRecord(await api.getTurn(turnId, signal), onEvent);
  onSuccess("polling");
  if (!isOver) await delay(POLL_SECONDS, signal);
  return isOver;
}

function emitRecord(record, onEvent) {
  const isLive = record.status === "queued" || record.status === "in_progress";
  onEvent(isLive ? { type: "status", data: record } : { type: "done", data: { turn: record } });
  return !isLive;
}
