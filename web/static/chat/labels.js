// Texts for the states of turns and of the connection.

const RESET_LABELS = {
  rescue: "The worker was lost. Restarting on another worker.",
  release: "The worker is shutting down. Restarting on another worker.",
};

export function turnLabel(turn, now = Date.now()) {
  switch (turn.state) {
    case "sending":
      return "Sending…";
    case "waiting":
      return `Waiting, sending again ${countdown(turn.resendAtMs, now)}…`;
    case "unsent":
      return turn.resendAtMs ? `${turn.problem} Retrying ${countdown(turn.resendAtMs, now)}…` : turn.problem;
    case "queued":
      return [resetLabel(turn), queueLabel(turn, now)].filter(Boolean).join(" ");
    case "thinking":
      return [resetLabel(turn), `Thinking${elapsed(turn, now)}`].filter(Boolean).join(" ");
    case "streaming":
      return [resetLabel(turn), `Answering${elapsed(turn, now)}`].filter(Boolean).join(" ");
    case "done":
      return turn.reason === "length" ? "Cut off: the model reached its length limit." : "";
    case "stopped":
      return turn.text ? "Stopped. The model won't remember this partial answer." : "Stopped.";
    case "failed":
      return `Failed: ${turn.error?.message ?? "no reason was given."}`;
    case "expired":
      return "Expired: the turn did not start in time.";
    case "interrupted":
      return turn.reason === "stopped" ? "Stopped. The partial answer is kept." : "Interrupted by a later message. The partial answer is kept.";
  }
}

// Return the name of an assistant or variable for display.
export const readable = (name) => name[0].toUpperCase() + name.slice(1).replaceAll("_", " ");

// Return the model, duration and tokens of a finished answer.
export function turnDetails(turn) {
  const parts = [turn.model, turn.seconds !== null && formatSeconds(turn.seconds)];
  if (turn.usage) parts.push(`${turn.usage.total_tokens} tokens`);
  if (turn.attempt > 1) parts.push(`attempt ${turn.attempt}`);
  if (turn.losses) parts.push(turn.losses > 1 ? `${turn.losses} restarts` : "1 restart");
  return parts.filter(Boolean).join(" · ");
}

export const CONNECTION_LABELS = {
  offline: "You are offline. The answer continues without you and is shown when you are back online.",
  reconnecting: "Reconnecting…",
  polling: "Live updates are at capacity: the answer is shown when it is complete.",
};

// A retry that is still the first attempt is a pause, because the provider limits the rate or is down, not a failure.
function resetLabel({ resetReason, attempt }) {
  if (resetReason !== "retry") return RESET_LABELS[resetReason];
  return attempt > 1 ? "The last attempt failed." : "";
}

function queueLabel({ queue, attempt }, now) {
  if (queue?.waiting_for === "retry") {
    const at = countdown(Date.parse(queue.retry_at ?? 0), now);
    return attempt > 1 ? `Retrying ${at} (attempt ${attempt})…` : `Waiting for the model, asking again ${at}…`;
  }
  const ahead = queue?.position - 1;
  if (queue?.waiting_for === "turn") return `Waiting for ${ahead === 1 ? "the previous answer" : `${ahead} previous answers`}.`;
  if (queue?.waiting_for === "pause") return "Waiting until the service continues…";
  return "Waiting for a free worker…";
}

function countdown(atMs, now) {
  const left = Math.ceil((atMs - now) / 1000);
  return left > 0 ? `in ${left} s` : "now";
}

function elapsed({ startedMs }, now) {
  const seconds = startedMs === null ? 0 : Math.floor((now - startedMs) / 1000);
  return seconds > 0 ? ` · ${seconds} s` : "…";
}

function formatSeconds(seconds) {
  if (seconds < 0.1) return "less than 0.1 s";
  return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
}
