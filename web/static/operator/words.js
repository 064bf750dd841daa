// What things are called and what they ask for. A failed turn's codes are those of docs/operations.md.
import { html } from "../shared/ui.js";

export const ADVICE = {
  answer_too_large: "The answer was larger than INTURN_MAX_ANSWER_BYTES.",
  chain_error: "The chain raised, or gave no text: the log has the traceback.",
  content_filtered: "The provider withheld the answer.",
  context_too_long: "Lower INTURN_HISTORY_WINDOW.",
  history_unusable: "The session's history is not what was committed: put it back, or delete the session.",
  incomplete_answer: "The answer broke off: trying again is worth it.",
  provider_authentication: "Look at OPENAI_API_KEY, then retry.",
  provider_error: "The provider had an error: retry when it has recovered.",
  provider_protocol: "The provider's answer was no answer: look at OPENAI_BASE_URL.",
  provider_quota: "Look at the account at the provider, then retry.",
  provider_rate_limited: "The provider limits the rate: retry later, or fewer at once.",
  provider_rejected: "The provider refuses such requests: look at the model's name.",
  provider_timeout: "The model was late: retry, or give it more time.",
  provider_unreachable: "Look at OPENAI_BASE_URL and the network, then retry.",
  worker_lost: "Every worker that ran it died: look for out-of-memory kills before you retry.",
};

export const SWITCHES = {
  intake: {
    ...{ name: "the intake", open: "The intake is open.", paused: "The intake is paused" },
    means: "new turns are refused with 503; what was accepted goes on",
  },
  workers: {
    ...{ name: "the workers", open: "The workers are open.", paused: "The workers are paused" },
    means: "no turn begins; those that run finish, and what is accepted waits",
  },
};

const ENDED_BY = {
  retry: "Failed, and another attempt follows",
  rescue: "Its worker was lost; another one goes on",
  release: "Its worker had to stop, and handed it back",
  completed: "Completed",
  failed: "Failed",
  cancelled: "Cancelled",
  incomplete: "Ended incomplete",
};

export const endInWords = (run) => ENDED_BY[run.ended_by] ?? run.ended_by;
export const tenantInWords = (tenant) => (tenant === "-" ? "default" : tenant);
export const counted = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
export const percent = (share) => (share === null ? null : `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`);

// Words with `code` in them.
export const coded = (words) => words.split("`").map((part, n) => (n % 2 ? html`<code>${part}</code>` : part));

// What a live turn does. `state` is for the eyes too.
export function doing(turn) {
  if (turn.status === "in_progress") {
    return turn.first_token_at ? { state: "answering", words: "answering" } : { state: "thinking", words: "thinking" };
  }
  if (turn.retry_at) return { state: "queued", words: "waits to try again" };
  return turn.status === "queued" ? { state: "queued", words: "queued" } : { state: turn.status, words: turn.status };
}
