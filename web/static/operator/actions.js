// The actions of an operator. An action with a `title` is confirmed in a dialog first; others run at once.
import * as api from "./api.js";
import { pluralize } from "./labels.js";

export const liftHold = ({ name, model }) => ({
  async run() {
    await api.liftHold(name);
    return `The turns that wait for ${model} start, oldest first.`;
  },
});

export const retry = (id) => ({
  async run() {
    const newTurn = await api.retry(id);
    return { message: "Retried as a new turn:", turn: newTurn.id };
  },
});

export const discard = (id) => ({
  async run() {
    await api.discard(id);
    return "Discarded. The record of the turn stays until it expires.";
  },
});

export const retryAll = (code, count) => ({
  title: `Retry ${pluralize(count, "failed turn")}?`,
  description: `All turns that failed with ${code}. Each is submitted again as the last turn of its session.`,
  confirmLabel: `Retry ${pluralize(count, "turn")}`,
  consent: code === "worker_lost" && "Retry them although they probably end the workers that run them.",
  run: async () => bulkMessage(await api.retryAll(code, count, code === "worker_lost" ? { include_poison: true } : {}), count, "retried"),
});

export const discardAll = (code, count) => ({
  title: `Discard ${pluralize(count, "failed turn")}?`,
  description: `All turns that failed with ${code}. They are removed from this list; their records stay until they expire.`,
  confirmLabel: `Discard ${pluralize(count, "turn")}`,
  run: async () => bulkMessage(await api.discardAll(code, count), count, "discarded"),
});

export const cancelTurn = (id) => ({
  title: "Cancel this turn?",
  description: "It ends without an answer. Its user sees that it was cancelled, and the next turn of the session starts.",
  confirmLabel: "Cancel turn",
  async run() {
    const { status } = await api.cancelTurn(id);
    return status === "cancelled" ? "Cancelled." : `The turn had already ended: ${status}.`;
  },
});

export const cancelSession = (session, count) => ({
  title: `Cancel ${pluralize(count, "turn")}?`,
  description: "All running and waiting turns of this session end without an answer. Its history stays.",
  confirmLabel: `Cancel ${pluralize(count, "turn")}`,
  async run() {
    const { done } = await api.cancelSession(session);
    return `${pluralize(done, "turn")} cancelled.`;
  },
});

export const drain = (worker, runningTurns) => ({
  title: "Drain this worker?",
  description: `${worker} starts no new turn, finishes ${pluralize(runningTurns, "running turn")}, and stops.`,
  confirmLabel: "Drain worker",
  async run() {
    await api.drain(worker);
    return `${worker} is draining.`;
  },
});

function bulkMessage({ done, refused }, count, verb) {
  const message = `${done} of ${pluralize(count, "turn")} ${verb}.`;
  return refused ? `${message} The others are still listed: ${refused.detail}` : message;
}
