// Actions on the service and its workers, as described in turns.js.
import * as api from "../api.js";
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
