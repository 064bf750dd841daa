// Texts for the values of the API. The codes of failed turns are described in docs/guides/operations.md.
import { serverNow } from "../../shared/http.js";
import { html } from "../../shared/ui.js";
import { formatDuration, secondsBetween } from "./time.js";

export const ADVICE = {
  answer_too_large: "The answer was larger than INTURN_MAX_ANSWER_BYTES.",
  assistant_not_configured: "The workers' assistants file does not name its chain, base_url and api_key_env. Give them the file.",
  chain_error: "The chain raised an error or returned no text. The worker's log has the traceback.",
  content_filtered: "The provider withheld the answer.",
  context_too_long: "The conversation is too long for the model. Lower INTURN_HISTORY_WINDOW.",
  file_missing: "A file of the turn was deleted. Compare the directory of the files with the backup.",
  file_unreadable: "Check the directory or the bucket of the files.",
  history_unusable: "The stored history differs from what was committed. Restore it, or delete the session.",
  history_write_failed: "The history could not be written. Check the disk of INTURN_HISTORY, then retry.",
  output_invalid: "The answer did not have the required form. Simplify the schema, or name a model that supports it.",
  incomplete_answer: "The connection broke before the answer was complete. Retry.",
  provider_authentication: "Check OPENAI_API_KEY, then retry.",
  provider_error: "The provider had an error. Retry when it has recovered.",
  provider_model_not_found: "The provider does not have this model. Check INTURN_MODEL, or the assistant's model.",
  provider_protocol: "The provider's response was not valid. Check OPENAI_BASE_URL.",
  provider_quota: "Check the account at the provider, then retry.",
  provider_rate_limited: "The provider limits the request rate. Retry later, or fewer turns at once.",
  provider_rejected: "The provider returned a 4xx error. Check OPENAI_BASE_URL and the assistant's settings.",
  provider_timeout: "The model did not answer in time. Retry, or raise the time limit.",
  provider_unreachable: "Check OPENAI_BASE_URL and the network, then retry.",
  turn_not_last: "It was to replace an answer after which others came. Its user may ask again.",
  worker_error: "The worker raised an error outside of the chain. Its log has the traceback.",
  worker_lost: "Probably poison: too many workers died while they ran it. See why they ended before you retry.",
};

// The effect of a pause of the whole service. The other parts have a name.
export const SWITCHES = {
  intake: {
    open: "New turns are accepted.",
    effect: "new turns are refused with 503; accepted turns continue",
  },
  workers: {
    open: "Workers start turns.",
    effect: "no turn starts; running turns finish, and accepted turns wait",
  },
};

// The acts of jobs. `effect` says what happens to each turn.
export const ACTS = {
  cancel: {
    ...{ verb: "Cancel", kind: "live turn", isDestructive: true },
    effect: "Each ends without an answer; its user sees that it was cancelled.",
  },
  retry: { verb: "Retry", kind: "failed turn", effect: "Each is submitted again as the last turn of its session." },
  discard: {
    ...{ verb: "Discard", kind: "failed turn", isDestructive: true },
    effect: "They are removed from this list, which can be undone for a day; their records stay until they expire.",
  },
  restore: { verb: "Undo", kind: "discarded turn", effect: "" },
};

const CONDITIONS = {
  ...{ code: "with code", tenant: "of tenant", user_id: "of user", session_id: "of session", assistant: "of assistant" },
  ...{ model: "of model", status: "that are", accepted_after: "accepted after", accepted_before: "accepted before" },
};

// Return the conditions of a filter in words, after a space; "" without any.
export function describeFilter(conditions) {
  const given = Object.entries(CONDITIONS).filter(([name]) => conditions[name]);
  return given.map(([name, words]) => ` ${words} ${conditions[name] === "in_progress" ? "running" : conditions[name]}`).join("");
}

// Return the numbers of a preview by code and by tenant, or "" if there is one of each.
export function describeCounts({ by_code, by_tenant }) {
  const counts = [by_code, by_tenant].filter((numbers) => Object.keys(numbers).length > 1).map(describeNumbers);
  return counts.length ? `${counts.join("; ")}.` : "";
}

const MAX_NAMED = 5;

function describeNumbers(numbers) {
  const named = Object.entries(numbers).map(([name, number]) => `${tenantLabel(name)} ${number.toLocaleString("en")}`);
  return [...named.slice(0, MAX_NAMED), ...(named.length > MAX_NAMED ? [`${named.length - MAX_NAMED} more`] : [])].join(", ");
}

// The limits of a tenant. Those with `min` 0 can be unlimited.
export const LIMITS = {
  concurrency: { label: "Turns that run at once", short: "concurrency", min: 0 },
  backlog: { label: "Live turns", short: "backlog", min: 1 },
  turns_per_minute: { label: "Turns per minute", short: "rate", min: 0 },
  tokens_per_day: { label: "Tokens per UTC day", short: "tokens", min: 0 },
};

export const RUN_OUTCOMES = {
  retry: "Failed; will be retried",
  rescue: "Worker lost; another worker takes over",
  release: "Worker stopped and returned the turn to the queue",
  completed: "Completed",
  failed: "Failed",
  cancelled: "Cancelled",
  incomplete: "Incomplete",
};

// The reasons for which turns wait now, below the number of them.
export const HELD = {
  workers_paused: "workers paused",
  paused: "paused by an operator",
  no_worker: "no worker",
  model_paused: "for a rate limit",
  model_outage: "for a model",
  retry: "for a retry",
  worker_lost: "after a lost worker",
  parked: "for a slot",
  workers_busy: "for a worker",
};

export const partLabel = ({ kind, name }) => (SWITCHES[kind] ? kind : `${kind} ${kind === "tenant" ? tenantLabel(name) : name}`);
export const tenantLabel = (tenant) => (tenant === "-" ? "default" : tenant);
export const pluralize = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
export const formatPercent = (share) => (share === null ? null : `${(share * 100).toFixed(share < 0.1 ? 1 : 0)}%`);

// Render the parts of the text that are in backticks as code.
export const withCode = (text) => text.split("`").map((part, n) => (n % 2 ? html`<code>${part}</code>` : part));

// Return the label of a turn's status, and the CSS class that gives it a symbol.
export function liveStatus(turn) {
  if (turn.status === "in_progress" && turn.silent_since) {
    return { state: "thinking", label: `silent for ${formatDuration(secondsBetween(turn.silent_since, new Date(serverNow()).toISOString()))}` };
  }
  if (turn.status === "in_progress") {
    return turn.first_token_at ? { state: "answering", label: "answering" } : { state: "thinking", label: "thinking" };
  }
  if (turn.status === "queued" && turn.paused_by) return { state: "queued", label: "paused by an operator" };
  return { state: turn.status, label: turn.status === "queued" && turn.retry_at ? retryLabel(turn) : turn.status };
}

// Return a note on the workers that a turn has lost, or null.
export const lossNote = ({ losses }) => (losses ? pluralize(losses, "lost worker") : null);

function retryLabel({ held_by, last_error_code: code }) {
  if (held_by) return "held: waits for its model";
  return code === "worker_lost" ? "waiting after a lost worker" : "waiting to retry";
}
