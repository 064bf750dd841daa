// Actions on the service and its workers, as described in turns.js.
import * as api from "../api.js";
import { REASON } from "../components/field.js";
import { pluralize } from "../format/labels.js";

export const liftHold = ({ name, model }) => ({
  label: `Resume ${model} now`,
  async run() {
    await api.liftHold(name);
    return `The turns that wait for ${model} start, oldest first.`;
  },
});

export const drain = (worker, runningTurns) => ({
  label: "Drain",
  isDestructive: true,
  title: "Drain this worker?",
  description: `${worker} starts no new turn, finishes ${pluralize(runningTurns, "running turn")}, and stops.`,
  confirmLabel: "Drain worker",
  async run() {
    await api.drain(worker);
    return `${worker} is draining.`;
  },
});

export const rescueWorker = (worker, runningTurns) => ({
  label: "Take its turns away",
  isDestructive: true,
  title: "Take the turns of this worker away?",
  description: `${worker} sends no heartbeats. Other workers run ${pluralize(runningTurns, "turn")} of it again, from the beginning of the answer. If it still runs, it can no longer write.`,
  confirmLabel: `Take ${pluralize(runningTurns, "turn")} away`,
  fields: [REASON],
  async run({ reason }) {
    const { done } = await api.rescueWorker(worker, reason);
    return `${pluralize(done, "turn")} taken away from ${worker}.`;
  },
});
