// Following one turn to its end, over as many connections as that takes. Leaving never cancels the turn.
import * as api from "./api.js";
import { pause } from "./pause.js";
import { takePlace } from "./places.js";
import { eventsOf } from "./sse.js";

const LONGEST_PAUSE_SECONDS = 5;
const ASK_SECONDS = 1.5;

// Tells each event after `seen`, and how the connection is: "open", "polling", "reconnecting". Ends with the turn.
export async function follow(turnId, { seen, tell, say, signal }) {
  let failures = 0;
  const heard = (how) => ((failures = 0), say(how));
  while (!signal.aborted) {
    const leave = await takePlace();
    try {
      const isOver = leave ? await watch(turnId, seen, { tell, heard, signal }) : await ask(turnId, { tell, heard, signal });
      if (isOver || signal.aborted) return;
    } catch (error) {
      if (signal.aborted) return;
      if (error.status === 404 || error.status === 410) return tell({ type: "gone" });
    } finally {
      leave?.();
    }
    // The first time at once: a web process that stops lets its readers go, and another one serves.
    if (failures++ > 0) say("reconnecting");
    await pause(Math.min(LONGEST_PAUSE_SECONDS, failures ** 2 * 0.2), signal);
  }
}

// Each of these returns whether the turn is over.

async function watch(turnId, seen, { tell, heard, signal }) {
  try {
    return await viaStream(turnId, seen, { tell, heard, signal });
  } catch (error) {
    if (error.code !== "streams_full") throw error;
    heard("polling");
    return told(await api.endOfTurn(turnId, signal), tell);
  }
}

async function viaStream(turnId, seen, { tell, heard, signal }) {
  const response = await api.events(turnId, seen.id, signal);
  if (response.status === 204) return told(await api.turn(turnId, signal), tell); // it ended while nobody looked
  for await (const event of eventsOf(response)) {
    if (signal.aborted) return true;
    heard("open");
    seen.id = event.id ?? seen.id;
    tell(event);
    if (event.type === "done") return true;
  }
  return false;
}

async function ask(turnId, { tell, heard, signal }) {
  const isOver = told(await api.turn(turnId, signal), tell);
  heard("polling");
  if (!isOver) await pause(ASK_SECONDS, signal);
  return isOver;
}

function told(turn, tell) {
  const isLive = turn.status === "queued" || turn.status === "in_progress";
  tell(isLive ? { type: "status", data: turn } : { type: "done", data: { turn } });
  return !isLive;
}
