// Every state of a turn and of the connection, in words. All that the page says about them is here.

const RUN_ENDED = {
  rescue: "Its worker was lost; another one goes on.",
  release: "Its worker had to stop; another one goes on.",
  retry: "That attempt failed; another one follows.",
};

export function stateInWords(turn, now = Date.now()) {
  switch (turn.state) {
    case "sending":
      return "Sending…";
    case "unsent":
      return turn.problem;
    case "queued":
      return [RUN_ENDED[turn.note], queueInWords(turn, now)].filter(Boolean).join(" ");
    case "thinking":
      return [RUN_ENDED[turn.note], `Thinking${elapsed(turn, now)}`].filter(Boolean).join(" ");
    case "streaming":
      return [RUN_ENDED[turn.note], `Answering${elapsed(turn, now)}`].filter(Boolean).join(" ");
    case "done":
      return turn.reason === "length" ? "Cut off: the model reached its limit of length." : "";
    case "stopped":
      return turn.text ? "Stopped. What it had said is no part of the session." : "Stopped.";
    case "failed":
      return `Failed: ${turn.error?.message ?? "no reason was given."}`;
    case "expired":
      return "Expired: it could not be started in the time that it was given.";
    case "interrupted":
      return "Interrupted by a later message. What it had said is kept.";
  }
}

// What there is to know about an answer that is done.
export function detailsInWords(turn) {
  const parts = [turn.model, turn.seconds !== null && seconds(turn.seconds)];
  if (turn.usage) parts.push(`${turn.usage.total_tokens} tokens`);
  if (turn.attempt > 1) parts.push(`attempt ${turn.attempt}`);
  return parts.filter(Boolean).join(" · ");
}

export const CONNECTION_IN_WORDS = {
  offline: "You are offline. The answer goes on without you, and is shown when you are back.",
  reconnecting: "Reconnecting…",
  polling: "Many are watching just now: the answer appears when it is whole.",
};

function queueInWords({ queue, attempt }, now) {
  if (queue?.waiting_for === "retry") {
    const left = queue.retry_at ? Math.ceil((Date.parse(queue.retry_at) - now) / 1000) : 0;
    return left > 0 ? `Attempt ${attempt} in ${left} s…` : `Attempt ${attempt} begins…`;
  }
  if (queue?.waiting_for === "turn") return `Queued, number ${queue.position}: waits for the turn before it.`;
  return "Queued: waits for a worker.";
}

function elapsed({ since }, now) {
  const passed = since === null ? 0 : Math.floor((now - since) / 1000);
  return passed > 0 ? ` · ${passed} s` : "…";
}

function seconds(number) {
  if (number < 0.1) return "less than 0.1 s";
  return `${number < 10 ? number.toFixed(1) : Math.round(number)} s`;
}
