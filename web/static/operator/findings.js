// Turn the statistics into findings: are users waiting, what is wrong, and what to do about it.
import { formatPercent, pluralize } from "./labels.js";
import { formatDuration } from "./time.js";

const SLOW_SECONDS = 1; // a delay that users notice
const LATE_SECONDS = 5; // deploy/keda.yaml adds workers at this wait
const SLOW_FIRST_TOKEN_SECONDS = 10; // as in deploy/alerts.yml
const HIGH_ERROR_SHARE = 0.05; // as in deploy/alerts.yml
const SEVERE_ERROR_SHARE = 0.5;

const SEVERITY = { bad: 0, warn: 1, good: 2 };

// Return the findings, the most severe first. Old statistics prove nothing about the present, so an error hides them.
export function findFindings({ stats, error, keyPrompt }) {
  if (stats && !error) return evaluate(stats);
  if (error) {
    const todo = "Check the store and the web processes: run `make doctor`.";
    return [{ level: "bad", headline: "Status unknown.", detail: error, todo }];
  }
  if (keyPrompt) return [{ level: "unknown", headline: "Locked.", detail: "Enter an API key above." }];
  return [{ level: "unknown", headline: "Loading…" }];
}

// `headline` contains no numbers, so it changes (and is announced) only when the situation does. `level` is bad, warn or
// good. `to` is the route that `todo` links to.
function evaluate(stats) {
  const checks = [findRefusal, findNoWorker, findPaused, findWaiting, findPastWait, findFailures, findPoison, findSlowModel];
  const findings = checks.map((check) => check(stats)).filter(Boolean);
  if (!findings.some(({ level }) => level !== "good")) findings.push(allGood(stats));
  return findings.sort((one, other) => SEVERITY[one.level] - SEVERITY[other.level]);
}

function findRefusal({ store_refusal: reason }) {
  if (!reason) return null;
  return {
    level: "bad",
    headline: "No turn can be submitted: the store refuses writes.",
    detail: `It says: ${reason}.`,
    todo: "Run `make doctor`, which prints a fix.",
  };
}

function findNoWorker({ live_workers, live_turns }) {
  if (live_workers) return null;
  return {
    level: "bad",
    headline: live_turns ? "Users are waiting: no worker is running." : "No worker is running.",
    detail: live_turns ? `${pluralize(live_turns, "accepted turn")} cannot continue.` : "No turn is waiting yet; the next one will.",
    todo: "Start one with `make worker`. If one has stopped, its log has the reason.",
  };
}

function findPaused({ paused: { intake, workers }, waiting_turns }) {
  if (workers) {
    const detail = `No turn starts until they are resumed; ${pluralize(waiting_turns, "turn is", "turns are")} waiting.`;
    return { level: waiting_turns ? "bad" : "warn", headline: "The workers are paused.", detail };
  }
  return intake ? { level: "warn", headline: "New turns are refused.", detail: "The intake is paused." } : null;
}

function findWaiting({ waiting_turns, oldest_waiting_seconds: oldest, live_workers, paused: { workers } }) {
  if (!live_workers || workers || oldest < SLOW_SECONDS) return null;
  const waiting = waiting_turns === 1 ? "One turn is waiting" : `${pluralize(waiting_turns, "turn")} are waiting`;
  return {
    level: oldest < LATE_SECONDS ? "warn" : "bad",
    headline: "Users are waiting.",
    detail: `${waiting} for a worker; the longest wait is ${formatDuration(oldest)}.`,
    todo: oldest < LATE_SECONDS ? null : "See what is running, or start more workers.",
    to: { view: "live", status: "in_progress" },
  };
}

// A burst that is over. Turns that are waiting now are reported by `findWaiting`.
function findPastWait({ oldest_waiting_seconds: oldest, recent: { wait_p95_seconds: p95 } }) {
  if (p95 === null || p95 < LATE_SECONDS || oldest >= SLOW_SECONDS) return null;
  const detail = `In the last 5 minutes, one turn in twenty waited more than ${formatDuration(p95)} for a worker.`;
  return { level: "warn", headline: "Users had to wait.", detail };
}

function findFailures({ recent: { error_share: share, ended } }) {
  if (share === null || share <= HIGH_ERROR_SHARE) return null;
  const total = ended.failed + ended.completed;
  return {
    level: share < SEVERE_ERROR_SHARE ? "warn" : "bad",
    headline: share < SEVERE_ERROR_SHARE ? "Turns are failing." : "Most turns are failing.",
    detail: `${formatPercent(share)} failed in the last 5 minutes: ${ended.failed} of ${total}.`,
    todo: "See which turns failed, and what to do.",
    to: { view: "failed" },
  };
}

function findPoison({ failed_by_code: { worker_lost: count } = {} }) {
  if (!count) return null;
  return {
    level: "warn",
    headline: "Turns end their workers.",
    detail: `${pluralize(count, "turn")} failed because too many workers died while they ran ${count === 1 ? "it" : "them"}.`,
    todo: "See what they have in common before you retry them.",
    to: { view: "failed", code: "worker_lost" },
  };
}

function findSlowModel({ recent: { first_token_p95_seconds: p95 } }) {
  if (p95 === null || p95 <= SLOW_FIRST_TOKEN_SECONDS) return null;
  const detail = `One turn in twenty waits more than ${formatDuration(p95)} for the provider's first token.`;
  return { level: "warn", headline: "The model is slow.", detail };
}

function allGood({ live_turns, running_turns, recent }) {
  const running = running_turns === 1 ? "one turn is running" : `${pluralize(running_turns, "turn")} are running`;
  const detail = live_turns ? `No turn is waiting for a worker; ${running}.` : "No turn is waiting.";
  const p95 = recent.wait_p95_seconds;
  return { level: "good", headline: "All good.", detail: p95 === null ? detail : `${detail} 95 % of turns started within ${formatDuration(p95)}.` };
}
