// A turn as it is shown: plain values, and how each event changes them. Knows neither page nor network.
//
//   sending ─▶ queued ─▶ thinking ─▶ streaming ─▶ done | stopped | failed | expired | interrupted
//      │         ▲           └───────────┴── reset: its text is void, another run follows
//      └▶ unsent (and again sending)

const TERMINAL = { completed: "done", cancelled: "stopped", failed: "failed" };
const LIVE = new Set(["queued", "thinking", "streaming"]);

export const isLive = (turn) => LIVE.has(turn.state);
export const isAnswering = (turn) => turn.state === "thinking" || turn.state === "streaming";

// What the user has said and the service has not confirmed. The key makes repeating it safe.
export function unconfirmed({ key, input, body, retryOf = null }) {
  return { ...BLANK, key, input, body, retryOf, state: "sending" };
}

// The turn as the API tells it; what was seen of its answer so far stays, unless the API has the whole of it.
export function fromRecord(record, seen = BLANK, key = seen.key) {
  const { id, sequence, input, attempt, queue, error, usage, model } = record;
  return {
    ...BLANK,
    ...{ id, key, sequence, input, attempt, queue, error, usage, model },
    state: stateOf(record, seen),
    text: record.output?.content ?? seen.text,
    reason: record.status_reason,
    retryOf: record.retry_of,
    metadata: record.metadata,
    since: record.started_at ? Date.parse(record.started_at) : seen.since,
    seconds: record.finished_at && record.started_at ? secondsBetween(record) : null,
    note: isTerminal(record) ? null : seen.note,
  };
}

// What happens to a live turn. Events of an earlier run, told again after a reload, pass through the same states.
export function advance(turn, { type, data }) {
  switch (type) {
    case "status":
      if (data.status === "queued") return { ...turn, state: "queued", queue: data.queue, attempt: data.attempt };
      return { ...turn, state: turn.text ? "streaming" : "thinking", queue: null, since: turn.since ?? Date.now() };
    case "delta":
      return { ...turn, state: "streaming", text: turn.text + data.text, since: turn.since ?? Date.now() };
    case "reset":
      return { ...turn, state: "queued", text: "", note: data.reason, attempt: data.attempt, since: null };
    case "done":
      return data.turn ? fromRecord(data.turn, turn) : null;
    case "gone":
      return null;
    default:
      return turn; // an event of a later version
  }
}

const BLANK = {
  id: null, key: null, sequence: Infinity, input: "", text: "", state: "queued", attempt: 1, queue: null, error: null,
  reason: null, usage: null, model: null, retryOf: null, metadata: {}, since: null, seconds: null, note: null,
  body: null, problem: null, isToCome: false,
};

function isTerminal(record) {
  return record.status !== "queued" && record.status !== "in_progress";
}

function stateOf(record, seen) {
  if (record.status === "queued") return "queued";
  if (record.status === "in_progress") return seen.text ? "streaming" : "thinking";
  if (record.status === "incomplete") return record.status_reason === "expired" ? "expired" : "interrupted";
  return TERMINAL[record.status];
}

function secondsBetween(record) {
  return (Date.parse(record.finished_at) - Date.parse(record.started_at)) / 1000;
}
