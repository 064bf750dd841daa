// What an operator can do: what is asked before, and what is said after. An action without a question is done at once.
import * as api from "./api.js";
import { counted, SWITCHES } from "./words.js";

export const resume = (name) => ({
  async run() {
    await api.resume(name);
    return `Resumed ${SWITCHES[name].name}.`;
  },
});

export const pause = (name) => ({
  question: `Pause ${SWITCHES[name].name}?`,
  about: `While it lasts, ${SWITCHES[name].means}. It lasts until somebody resumes ${SWITCHES[name].name}.`,
  yes: `Pause ${SWITCHES[name].name}`,
  async run() {
    await api.pause(name);
    return `Paused ${SWITCHES[name].name}.`;
  },
});

export const retry = (id) => ({
  async run() {
    const again = await api.retry(id);
    return { words: "It is asked again, as a new turn:", turn: again.id };
  },
});

export const discard = (id) => ({
  async run() {
    await api.discard(id);
    return "It is no longer among the failed ones; its record stays until it expires.";
  },
});

export const retryAll = (code, count) => ({
  question: `Retry ${counted(count, "failed turn")}?`,
  about: `All that failed with ${code}. Each is asked again as the last turn of its session.`,
  yes: `Retry ${counted(count, "turn")}`,
  run: async () => dealtInWords(await api.retryAll(code, count), count, "asked again"),
});

export const discardAll = (code, count) => ({
  question: `Discard ${counted(count, "failed turn")}?`,
  about: `All that failed with ${code}. They are no longer listed here; their records stay until they expire.`,
  yes: `Discard ${counted(count, "turn")}`,
  run: async () => dealtInWords(await api.discardAll(code, count), count, "discarded"),
});

export const drain = (worker, running) => ({
  question: "Drain this worker?",
  about: `${worker} begins nothing more, finishes what it runs (${counted(running, "turn")}), and ends.`,
  yes: "Drain it",
  async run() {
    await api.drain(worker);
    return `${worker} drains.`;
  },
});

function dealtInWords({ done, refused }, count, what) {
  const said = `${done} of ${counted(count, "turn")} ${what}.`;
  return refused ? `${said} The others are still listed: ${refused.detail}` : said;
}
