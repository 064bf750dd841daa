// A turn as a plain value, and how records and events of the API change it. Independent of the page and the network.
//
//   sending ─▶ queued ─▶ thinking ─▶ streaming ─▶ done | stopped | failed | expired | interrupted
//      │         ▲           └───────────┴── reset: the text is discarded, another run follows
//      ├▶ waiting (the service limits the rate; sending again by itself)
//      └▶ unsent (and sending again)

import { addPart, partsOf } from "./output.js";

const FINAL_STATES = { completed: "done", cancelled: "stopped", failed: "failed" };
const LIVE = new Set(["queued", "thinking", "streaming"]);

export const isLive = (turn) => LIVE.has(turn.state);
export const isAnswering = (turn) => turn.state === "thinking" || turn.state === "streaming";

// Return a turn that the service has not confirmed yet. Its idempotency key makes it safe to send again.
export function unconfirmed({ key, input, parts = null, body, retryOf = null, regenerates = null }) {
  return { ...EMPTY_TURN, key, input, parts, body, retryOf, regenerates, state: "sending" };
}

// Return the turn of an API record. Text that was streamed to `previous` is kept until the record has the whole answer.
export function fromRecord(record, previous = EMPTY_TURN, key = previous.key) {
  const { id, sequence, input, assistant, attempt, losses, queue, error, usage, model } = record;
  return {
    ...EMPTY_TURN,
    ...{ id, key, sequence, input, assistant, attempt, losses, queue, error, usage, model },
    parts: record.input_parts,
    state: stateOf(record, previous),
    text: record.output?.content ?? previous.text,
    answerParts: partsOf(record.output) ?? previous.answerParts,
    reason: record.status_reason,
    retryOf: record.retry_of,
    regenerates: record.regenerates,
    supersededBy: record.superseded_by,
    metadata: record.metadata,
    acceptedAt: record.accepted_at,
    finishedAt: record.finished_at,
    startedMs: record.started_at ? Date.parse(record.started_at) : previous.startedMs,
    seconds: record.finished_at && record.started_at ? secondsRun(record) : null,
    resetReason: isTerminal(record) ? null : previous.resetReason,
  };
}

// Return the turn of a question without an answer, whose record has expired.
export function fromUnanswered({ turn_id, sequence, content, truncated, error, accepted_at, finished_at, ...record }) {
  return {
    ...EMPTY_TURN,
    ...{ id: turn_id, sequence, input: truncated ? `${content}…` : content, error, acceptedAt: accepted_at, finishedAt: finished_at },
    ...{ state: stateOf({ ...record, status_reason: "expired" }), isTruncated: truncated },
  };
}

// Return the live turn after an event, or null if the turn no longer exists. After a reload the events of earlier runs
// are replayed and pass through the same states.
export function applyEvent(turn, { type, data }) {
  switch (type) {
    case "status":
      if (data.status === "queued") return { ...turn, state: "queued", queue: data.queue, attempt: data.attempt };
      return { ...turn, state: turn.text ? "streaming" : "thinking", queue: null, startedMs: turn.startedMs ?? Date.now() };
    case "delta":
      return { ...turn, state: "streaming", text: turn.text + data.text, startedMs: turn.startedMs ?? Date.now() };
    case "reasoning":
    case "tool":
      return { ...turn, state: turn.text ? "streaming" : "thinking", answerParts: addPart(turn.answerParts, { type, data }) };
    case "reset":
      return { ...turn, state: "queued", text: "", answerParts: [], resetReason: data.reason, attempt: data.attempt, startedMs: null };
    case "done":
      return data.turn ? fromRecord(data.turn, turn) : null;
    default:
      return turn; // an event type of a newer version
  }
}

export const EMPTY_TURN = {
  id: null, key: null, sequence: Infinity, input: "", parts: null, answerParts: [], assistant: null, text: "", state: "queued", attempt: 1, losses: 0,
  queue: null, error: null, reason: null, usage: null, model: null, retryOf: null, regenerates: null, supersededBy: null, metadata: {}, acceptedAt: null,
  startedMs: null, finishedAt: null, seconds: null, resetReason: null, body: null, problem: null, resendAtMs: null,
};

function isTerminal(record) {
  return record.status !== "queued" && record.status !== "in_progress";
}

function stateOf(record, previous = EMPTY_TURN) {
  if (record.status === "queued") return "queued";
  if (record.status === "in_progress") return previous.text ? "streaming" : "thinking";
  if (record.status === "incomplete") return record.status_reason === "expired" ? "expired" : "interrupted";
  return FINAL_STATES[record.status];
}

function secondsRun(record) {
  return (Date.parse(record.finished_at) - Date.parse(record.started_at)) / 1000;
}
