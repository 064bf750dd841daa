// The history of one turn as segments of time and as a list of events. Pure functions.
import { RUN_OUTCOMES } from "./labels.js";
import { formatDuration, secondsBetween } from "./time.js";
import { waitKind, waitText } from "./waits.js";

const TERMINAL = new Set(["completed", "failed", "cancelled", "incomplete"]);

export const isLive = ({ status }) => !TERMINAL.has(status);

// Return `[{ kind, seconds, label }]` without gaps, from acceptance to the end of the turn, or to `now` (a timestamp).
export function timeSegments(turn, now) {
  const end = turn.finished_at ?? now;
  const waits = turn.waits.map((wait) => ({ ...wait, until: wait.until ?? end }));
  const segments = [];
  let at = turn.accepted_at;
  const add = (timestamp, kind, label) => {
    const seconds = secondsBetween(at, timestamp);
    if (seconds > 0) segments.push({ kind, seconds, label });
    if (timestamp > at) at = timestamp;
  };
  const until = (timestamp, kind, label, applies) => {
    for (const wait of waits.filter(applies)) {
      if (wait.until <= at || wait.since >= timestamp) continue;
      add(wait.since, kind, label);
      add(wait.until < timestamp ? wait.until : timestamp, waitKind(wait), waitText(wait));
    }
    add(timestamp, kind, label);
  };
  for (const run of turn.runs) {
    const ended = run.ended_at ?? end;
    until(run.started_at, "waiting", "waited for a worker", ({ reason }) => reason !== "silent");
    until(run.first_token_at ?? ended, "thinking", `run ${run.number}: no token yet`, isInRun);
    until(ended, "answering", `run ${run.number}: answering`, isInRun);
  }
  until(end, "waiting", isLive(turn) ? "waiting for a worker" : "waited for a worker", ({ reason }) => reason !== "silent");
  return segments;
}

// The reasons for which a run may stand still: its model is silent, or its worker has died.
const isInRun = ({ reason }) => reason === "silent" || reason === "worker_lost";

// Return `[{ at, label, seconds, run?, code? }]`; `seconds` is the time since the previous event, null for the first.
export function timelineEvents(turn, now) {
  const events = [{ at: turn.accepted_at, label: "Accepted" }];
  const add = (at, label, more = {}) => at && events.push({ at, label, ...more });
  for (const run of turn.runs) {
    add(run.started_at, `Run ${run.number} (attempt ${run.attempt}) started`, { run });
    add(run.first_token_at, "First token");
    if (run.ended_at !== turn.finished_at) add(run.ended_at, RUN_OUTCOMES[run.ended_by] ?? run.ended_by, { code: run.code });
  }
  for (const wait of turn.waits) add(wait.since, waitLabel(wait, turn.finished_at ?? now));
  const outcome = turn.status_reason ? `${turn.status} (${turn.status_reason})` : turn.status;
  add(turn.finished_at, `Ended: ${outcome}`, { code: turn.code });
  events.sort((one, other) => Date.parse(one.at) - Date.parse(other.at)); // stable: events of one moment keep their order
  return events.map((event, n) => ({ ...event, seconds: n ? secondsBetween(events[n - 1].at, event.at) : null }));
}

function waitLabel(wait, end) {
  const duration = formatDuration(secondsBetween(wait.since, wait.until ?? end));
  const verb = { silent: "Silent", worker_lost: "Stood still" }[wait.reason] ?? "Held";
  return `${verb} for ${duration}: ${waitText(wait)}`;
}
