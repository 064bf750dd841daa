// The order in which messages and turns of a session are shown. A pure function.
import { fromUnanswered, isLive } from "./turn.js";

// Return messages and questions without an answer whose turn records have expired, then turns by sequence, then turns that
// are not confirmed yet. `isCut`: there are earlier messages than these.
export function buildTranscript({ messages, unanswered, isCut, turns, outbox }) {
  const known = [...turns.values()].sort((one, other) => one.sequence - other.sequence);
  const older = [...messages.values()]
    .filter((message) => !turns.has(message.turn_id))
    .sort((one, other) => one.number - other.number)
    .map((message) => ({ kind: "message", id: `m${message.number}`, ...message }));
  const first = isCut ? Math.min(...messages.keys()) : 0;
  for (const question of unanswered.filter(({ turn_id, after }) => !turns.has(turn_id) && after >= first)) {
    const at = older.findIndex(({ kind, number }) => kind === "message" && number > question.after);
    older.splice(at < 0 ? older.length : at, 0, { kind: "unanswered", ...fromUnanswered(question) });
  }
  const retried = new Set(known.map((turn) => turn.retryOf));
  const unconfirmed = outbox.filter((turn) => !known.some((other) => other.key === turn.key));
  const replaced = new Set([...known, ...unconfirmed].filter(takesPlace).map((turn) => turn.regenerates));
  const confirmed = known
    .filter((turn) => !turn.supersededBy && !replaced.has(turn.id))
    .map((turn) => ({ kind: "turn", ...turn, isRetried: retried.has(turn.id) }));
  return [...older, ...confirmed, ...unconfirmed.map((turn) => ({ kind: "turn", ...turn }))];
}

// Whether a turn is shown in the place of the one that it regenerates. If it fails, the earlier answer is shown again.
const takesPlace = (turn) => turn.regenerates && (isLive(turn) || turn.state === "sending" || turn.state === "done");
