// Acts on many turns, which the service carries out as jobs. An action here has `prepare`: it counts the turns first, and
// resolves to the action that the dialog describes, or to a notice if there is nothing to do.
import { randomId } from "../../shared/random.js";
import * as api from "../api.js";
import { REASON } from "../components/field.js";
import { ACTS, describeCounts, describeFilter, pluralize } from "../format/labels.js";

const DEFAULT_RATE = 200;
const RATE = { name: "per_second", label: "Turns per second", type: "number", value: DEFAULT_RATE, min: 1, max: 1000, help: "1 to 1,000." };
const UNDO_POLLS = 20;
const POLL_MS = 150;

// Act on the turns that match. `conditions` are those of the filter.
export const actOnMatching = (act, conditions, label) => ({
  label: `${label ?? `${ACTS[act].verb} all`}…`,
  isDestructive: ACTS[act].isDestructive,
  async prepare() {
    const include_poison = conditions.code === "worker_lost";
    const preview = await api.previewJob({ act, ...conditions, include_poison });
    if (!preview.count) return { notice: nothingMatches(preview) };
    const target = { ...conditions, include_poison, before: preview.before, all: true };
    return confirmed(act, { target, preview, what: `All ${ACTS[act].kind}s${describeFilter(conditions)} until ${preview.before.slice(11, 19)} UTC.` });
  },
});

// Act on the turns that are checked in a list.
export const actOnSelected = (act, turnIds) => ({
  label: `${ACTS[act].verb} selected`,
  isDestructive: ACTS[act].isDestructive,
  async prepare() {
    const preview = { count: turnIds.length, left_out: 0, by_code: {}, by_tenant: {}, is_complete: true };
    return confirmed(act, { target: { turn_ids: turnIds }, preview, what: "The turns that you have checked." });
  },
});

// Discard one turn at once, because that can be undone.
export const discard = (id) => ({
  label: "Discard",
  isDestructive: true,
  async run() {
    const job = randomId("discard-");
    await api.putJob(job, { act: "discard", turn_ids: [id] });
    const { done } = await ended(job);
    if (!done) return "It was no longer listed as failed.";
    return { message: "Discarded. The record of the turn stays until it expires.", action: undo(job) };
  },
});

export const stop = (id) => ({
  label: "Stop",
  async run() {
    await api.stopJob(id);
    return "Stopped. The turns that were processed before stay so.";
  },
});

export const undo = (id) => ({
  label: "Undo",
  async run() {
    const { id: undoing } = await api.undoJob(id);
    const { done, total } = await ended(undoing);
    return { message: `${done} of ${pluralize(total, "turn")} back on the list of failed turns.`, job: undoing };
  },
});

function confirmed(act, { target, preview, what }) {
  const { verb, kind, effect, isDestructive } = ACTS[act];
  const { before, count, left_out, is_complete } = preview;
  const id = randomId(`${act}-`); // pressing the button twice creates one job
  const number = `${is_complete ? "" : "more than "}${count.toLocaleString("en")}`;
  const isPoison = target.include_poison;
  const leftOut = left_out > 0 && `${pluralize(left_out, "turn")} that probably end their workers are left out.`;
  const later = before && `Turns that ${act === "cancel" ? "arrive" : "fail"} later are not touched.`;
  return {
    isDestructive,
    title: `${verb} ${number} ${count === 1 ? kind : `${kind}s`}?`,
    description: [what, describeCounts(preview), leftOut, effect, later, "You can stop it at any time."].filter(Boolean).join(" "),
    confirmLabel: `${verb} ${number} ${count === 1 ? "turn" : "turns"}`,
    consent: isPoison && act === "retry" && "Retry them although they probably end the workers that run them.",
    fields: [REASON, RATE],
    async run({ reason, per_second }) {
      await api.putJob(id, { act, ...target, reason, per_second: Number(per_second ?? DEFAULT_RATE) });
      return { message: `${verb}: started.`, open: { view: "jobs", id } };
    },
  };
}

function nothingMatches({ left_out }) {
  if (!left_out) return { message: "No turn matches any more." };
  return { message: `${pluralize(left_out, "turn")} left out: they probably end their workers. Retry them by their code, worker_lost.` };
}

// Return the job when it has ended, or as it is after some seconds.
async function ended(id) {
  for (let poll = 0; ; poll += 1) {
    const job = await api.getJob(id);
    if (job.finished_at || poll === UNDO_POLLS) return job;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
