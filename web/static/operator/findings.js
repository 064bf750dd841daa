// Are users waiting? What the numbers say, in words: the weightiest first, and what to do about each.
import { seconds } from "./times.js";
import { counted, percent } from "./words.js";

const SLOW_SECONDS = 1; // somebody notices
const LATE_SECONDS = 5; // as long as deploy/keda.yaml lets nothing wait
const SLOW_FIRST_TOKEN_SECONDS = 10; // as in deploy/alerts.yml
const MANY_FAIL = 0.05; // as in deploy/alerts.yml
const MOST_FAIL = 0.5;

const WEIGHT = { bad: 0, warn: 1, good: 2 };

// Without numbers that are from now nobody can tell; `trouble` is why there are none.
export function glance({ stats, trouble }) {
  if (stats && !trouble) return findingsOf(stats);
  if (!trouble) return [{ level: "unknown", headline: "Asking…" }];
  const todo = "Look at the store and at the web processes: `make doctor`.";
  return [{ level: "bad", headline: "Nobody can tell.", detail: trouble, todo }];
}

// `headline` has no number, so it changes only when there is news; `level`: bad, warn or good; `to`: where `todo` begins.
function findingsOf(stats) {
  const found = [noWorker, paused, waiting, waited, failing, slowModel].map((look) => look(stats)).filter(Boolean);
  if (!found.some(({ level }) => level !== "good")) found.push(served(stats));
  return found.sort((one, other) => WEIGHT[one.level] - WEIGHT[other.level]);
}

function noWorker({ live_workers, live_turns }) {
  if (live_workers) return null;
  return {
    level: "bad",
    headline: live_turns ? "Users are waiting: no worker is alive." : "No worker is alive.",
    detail: live_turns ? `${counted(live_turns, "accepted turn")} cannot go on.` : "Nobody waits yet; the next turn will.",
    todo: "Start one with `make worker`, and read the log of those that ended.",
  };
}

function paused({ paused: { intake, workers }, waiting_turns }) {
  if (workers) {
    const detail = `No turn begins until they are resumed; ${counted(waiting_turns, "turn waits", "turns wait")}.`;
    return { level: waiting_turns ? "bad" : "warn", headline: "The workers are paused.", detail };
  }
  return intake ? { level: "warn", headline: "New turns are refused.", detail: "The intake is paused." } : null;
}

function waiting({ waiting_turns, oldest_waiting_seconds: oldest, live_workers, paused: { workers } }) {
  if (!live_workers || workers || oldest < SLOW_SECONDS) return null;
  const wait = waiting_turns === 1 ? "One turn waits" : `${counted(waiting_turns, "turn")} wait`;
  return {
    level: oldest < LATE_SECONDS ? "warn" : "bad",
    headline: "Users are waiting.",
    detail: `${wait} for a worker, the oldest for ${seconds(oldest)}.`,
    todo: oldest < LATE_SECONDS ? null : "See what runs, or start more.",
    to: { view: "live", status: "in_progress" },
  };
}

// A burst that is over; those who still wait are told of above.
function waited({ oldest_waiting_seconds: oldest, recent: { wait_p95_seconds: late } }) {
  if (late === null || late < LATE_SECONDS || oldest >= SLOW_SECONDS) return null;
  const detail = `One turn in twenty waited more than ${seconds(late)} for a worker in the last 5 minutes.`;
  return { level: "warn", headline: "Users have waited.", detail };
}

function failing({ recent: { error_share: share, ended } }) {
  if (share === null || share <= MANY_FAIL) return null;
  const judged = ended.failed + ended.completed;
  return {
    level: share < MOST_FAIL ? "warn" : "bad",
    headline: share < MOST_FAIL ? "Turns fail." : "Most turns fail.",
    detail: `${percent(share)} in the last 5 minutes: ${ended.failed} of ${judged}.`,
    todo: "See what has failed, and what to do about it.",
    to: { view: "failed" },
  };
}

function slowModel({ recent: { first_token_p95_seconds: late } }) {
  if (late === null || late <= SLOW_FIRST_TOKEN_SECONDS) return null;
  const detail = `One turn in twenty waits more than ${seconds(late)} for the first word: the provider's time.`;
  return { level: "warn", headline: "The model is slow.", detail };
}

function served({ live_turns, running_turns, recent }) {
  const runs = running_turns === 1 ? "one turn runs" : `${counted(running_turns, "turn")} run`;
  const detail = live_turns ? `Nobody waits for a worker; ${runs}.` : "Nobody waits, and nothing is to be done.";
  const quick = recent.wait_p95_seconds === null ? "" : ` 95 % began within ${seconds(recent.wait_p95_seconds)}.`;
  return { level: "good", headline: "Users are served.", detail: detail + quick };
}
