// Actions on turns. An action is `{ label, run(values) }`; `run` returns the message, or `{ message, turn, job, action, secret }`:
// links to a turn and to the jobs, a further action such as an undo, and a text to copy; `open` is the route to go to.
//   isForAdmin      it needs a key with the scope admin instead of operator
//   isDestructive   it ends, stops or removes something: red, here and in the dialog
//   title           it asks first: `title`, `description`, `confirmLabel` (a verb and its object), and `consent`, a
//                   sentence to check. A destructive action without a title must be one that can be undone
//   prepare         () => a promise of the action to confirm, or of `{ notice }`; it has no `run`
//   fields          a form in that dialog, as in components/field.js; `run` receives its values. `REASON` is one of them
import * as api from "../api.js";
import { REASON } from "../components/field.js";
import { pluralize } from "../format/labels.js";

export const retry = (id) => ({
  label: "Retry",
  async run() {
    const newTurn = await api.retry(id);
    return { message: "Retried as a new turn:", turn: newTurn.id };
  },
});

export const cancelTurn = (id) => ({
  label: "Cancel turn",
  isDestructive: true,
  title: "Cancel this turn?",
  description: "It ends without an answer. Its user sees that it was cancelled, and the next turn of the session starts.",
  confirmLabel: "Cancel turn",
  fields: [REASON],
  async run({ reason }) {
    const { status } = await api.cancelTurn(id, reason);
    return status === "cancelled" ? "Cancelled." : `The turn had already ended: ${status}.`;
  },
});

export const cancelSession = (session, count) => ({
  label: count === 1 ? "Cancel turn" : `Cancel all ${count} turns`,
  isDestructive: true,
  title: `Cancel ${pluralize(count, "turn")}?`,
  description: "All running and waiting turns of this session end without an answer. Its history stays.",
  confirmLabel: `Cancel ${pluralize(count, "turn")}`,
  fields: [REASON],
  async run({ reason }) {
    const { done } = await api.cancelSession(session, reason);
    return `${pluralize(done, "turn")} cancelled.`;
  },
});
