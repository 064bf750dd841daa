// The order in which a session's messages and turns are shown. Plain values.

// Turns by their sequence, behind the messages of turns whose records are no longer kept; what is not confirmed, last.
export function transcriptOf({ messages, turns, outbox }) {
  const known = [...turns.values()].sort((one, other) => one.sequence - other.sequence);
  const kept = new Set(turns.keys());
  const older = [...messages.values()]
    .filter((message) => !kept.has(message.turn_id))
    .sort((one, other) => one.number - other.number)
    .map((message) => ({ kind: "message", id: `m${message.number}`, ...message }));
  const retried = new Set(known.map((turn) => turn.retryOf));
  const shown = known.map((turn) => ({ kind: "turn", ...turn, isRetried: retried.has(turn.id) }));
  const unconfirmed = outbox.filter((turn) => !known.some((other) => other.key === turn.key));
  return [...older, ...shown, ...unconfirmed.map((turn) => ({ kind: "turn", ...turn }))];
}
