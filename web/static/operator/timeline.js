// What happened to a turn, from its record: the stretches of its time, and its events in order. Pure.
import { between } from "./times.js";
import { endInWords } from "./words.js";

const TERMINAL = new Set(["completed", "failed", "cancelled", "incomplete"]);

// `[{ kind, seconds, words }]` without gaps, from its acceptance to its end, or to `now` (an instant).
export function stretchesOf(turn, now) {
  const end = turn.finished_at ?? now;
  const found = [];
  let at = turn.accepted_at;
  const until = (instant, kind, words) => {
    const passed = between(at, instant);
    if (passed > 0) found.push({ kind, seconds: passed, words });
    at = instant;
  };
  for (const run of turn.runs) {
    const ended = run.ended_at ?? end;
    until(run.started_at, "waited", "waited for a worker");
    until(run.first_token_at ?? ended, "thinking", `run ${run.number}: no word yet`);
    until(ended, "answering", `run ${run.number}: answered`);
  }
  until(end, "waited", TERMINAL.has(turn.status) ? "waited" : "waits");
  return found;
}

// `[{ at, what, after, run? }]`: `after` are the seconds since the event that it followed.
export function eventsOf(turn) {
  const found = [{ at: turn.accepted_at, what: "Accepted", after: null }];
  let last = turn.accepted_at;
  const add = (at, what, more = {}) => {
    if (!at) return;
    found.push({ at, what, after: between(last, at), ...more });
    last = at;
  };
  for (const run of turn.runs) {
    add(run.started_at, `Run ${run.number} began, attempt ${run.attempt}`, { run });
    add(run.first_token_at, "First word");
    if (run.ended_at !== turn.finished_at) add(run.ended_at, endInWords(run), { code: run.code });
  }
  const ended = turn.status_reason ? `${turn.status}: ${turn.status_reason}` : turn.status;
  add(turn.finished_at, `Ended as ${ended}`, { code: turn.code });
  return found;
}

export const isLive = ({ status }) => !TERMINAL.has(status);
