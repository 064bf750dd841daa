// Actions on turns. An action is `{ label, run(values) }`; `run` returns the message, or `{ message, turn }`.
//   isDestructive   it ends, stops or removes something: red, here and in the dialog
//   title           it asks first: `title`, `description`, `confirmLabel` (a verb and its object), and `consent`, a
//                   sentence to check. A destructive action without a title must be one that can be undone
//   fields          a form in that dialog, as in components/field.js; `run` receives its values. `REASON` is one of them
import * as api from "../api.js";
import { pluralize } from "../format/labels.js";

export const retry = (id) => ({
  label: "Retry",
  async run() {
    const newTurn = await api.retry(id);
    return { message: "Retried as a new turn:", turn: newTurn.id };
  },
});

export const discard = (id) => ({
  label: "Discard",
  isDestructive: true,
  async run() {
    await api.discard(id);
    return "Discarded. The record of the turn stays until it expires.";
  },
});

export const retryAll = (code, count) => ({
  label: `Retry ${count}`,
  title: `Retry ${pluralize(count, "failed turn")}?`,
  description: `All turns that failed with ${code}. Each is submitted again as the last turn of its session.`,
  confirmLabel: `Retry ${pluralize(count, "turn")}`,
  consent: code === "worker_lost" && "Retry them although they probably end the workers that run them.",
  run: async () => bulkMessage(await api.retryAll(code, count, code === "worker_lost" ? { include_poison: true } : {}), count, "retried"),
});

export const discardAll = (code, count) => ({
  label: `Discard ${count}`,
  isDestructive: true,
  title: `Discard ${pluralize(count, "failed turn")}?`,
  description: `All turns that failed with ${code}. They are removed from this list; their records stay until they expire.`,
  confirmLabel: `Discard ${pluralize(count, "turn")}`,
  run: async () => bulkMessage(await api.discardAll(code, count), count, "discarded"),
});

export const cancelTurn = (id) => ({
  label: "Cancel turn",
  isDestructive: true,
  title: "Cancel this turn?",
  description: "It ends without an answer. Its user sees that it was cancelled, and the next turn of the session starts.",
  confirmLabel: "Cancel turn",
  async run() {
    const { status } = await api.cancelTurn(id);
    return status === "cancelled" ? "Cancelled." : `The turn had already ended: ${status}.`;
  },
});

export const cancelSession = (session, count) => ({
  label: count === 1 ? "Cancel turn" : `Cancel all ${count} turns`,
  isDestructive: true,
  title: `Cancel ${pluralize(count, "turn")}?`,
  description: "All running and waiting turns of this session end without an answer. Its history stays.",
  confirmLabel: `Cancel ${pluralize(count, "turn")}`,
  async run() {
    const { done } = await api.cancelSession(session);
    return `${pluralize(done, "turn")} cancelled.`;
  },
});

function bulkMessage({ done, refused }, count, verb) {
  const message = `${done} of ${pluralize(count, "turn")} ${verb}.`;
  return refused ? `${message} The others are still listed: ${refused.detail}` : message;
}
