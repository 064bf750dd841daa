// The history of one turn as segments of time and as a list of events. Pure functions.
import { RUN_OUTCOMES } from "./labels.js";
import { secondsBetween } from "./time.js";

const TERMINAL = new Set(["completed", "failed", "cancelled", "incomplete"]);

export const isLive = ({ status }) => !TERMINAL.has(status);

// Return `[{ kind, seconds, label }]` without gaps, from acceptance to the end of the turn, or to `now` (a timestamp).
export function timeSegments(turn, now) {
  const end = turn.finished_at ?? now;
  const segments = [];
  let at = turn.accepted_at;
  const until = (timestamp, kind, label) => {
    const seconds = secondsBetween(at, timestamp);
    if (seconds > 0) segments.push({ kind, seconds, label });
    at = timestamp;
  };
  for (const run of turn.runs) {
    const ended = run.ended_at ?? end;
    until(run.started_at, "waiting", "waited for a worker");
    until(run.first_token_at ?? ended, "thinking", `run ${run.number}: no token yet`);
    until(ended, "answering", `run ${run.number}: answering`);
  }
  until(end, "waiting", isLive(turn) ? "waiting" : "waited");
  return segments;
}

// Return `[{ at, label, seconds, run?, code? }]`; `seconds` is the time since the previous event, null for the first.
export function timelineEvents(turn) {
  const events = [{ at: turn.accepted_at, label: "Accepted", seconds: null }];
  const add = (at, label, more = {}) => {
    if (at) events.push({ at, label, seconds: secondsBetween(events.at(-1).at, at), ...more });
  };
  for (const run of turn.runs) {
    add(run.started_at, `Run ${run.number} (attempt ${run.attempt}) started`, { run });
    add(run.first_token_at, "First token");
    if (run.ended_at !== turn.finished_at) add(run.ended_at, RUN_OUTCOMES[run.ended_by] ?? run.ended_by, { code: run.code });
  }
  const outcome = turn.status_reason ? `${turn.status} (${turn.status_reason})` : turn.status;
  add(turn.finished_at, `Ended: ${outcome}`, { code: turn.code });
  return events;
}
