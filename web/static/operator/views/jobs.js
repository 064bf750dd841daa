// The acts on many turns of about the last day: progress, and the buttons to stop or undo one.
import { html } from "../../shared/ui.js";
import { stop, undo } from "../actions/jobs.js";
import { ActionButton } from "../components/action_button.js";
import { Empty } from "../components/empty.js";
import { Table } from "../components/table.js";
import { ACTS, describeFilter, pluralize } from "../format/labels.js";
import { RelativeTime } from "../format/time.js";

export function JobsView({ page, route, data }) {
  if (!data) return null;
  if (!data.data.length) {
    const next = [{ label: "Failed turns", to: { view: "failed" } }, { label: "Live turns", to: { view: "live" } }];
    return html`<${Empty} next=${next}>No bulk act within the last day. They begin in these lists.</${Empty}>`;
  }
  const columns = [
    { head: "Act", cell: (job) => html`<b aria-current=${job.id === route.id ? "true" : null}>${ACTS[job.act]?.verb ?? job.act}</b> <span class="owner">${describe(job)}</span>` },
    { head: "Progress", cell: (job) => html`<${Progress} job=${job} />` },
    { head: "State", cell: (job) => html`<span class=${`state ${STATES[job.status] ?? "queued"}`}>${stateOf(job)}</span>` },
    { head: "Started", isNumber: true, cell: ({ created_at }) => html`<${RelativeTime} at=${created_at} suffix=" ago" />` },
    { head: "By key", cell: ({ key_id }) => key_id },
    { head: "Reason", cell: ({ reason }) => reason || null },
    { head: "Actions", cell: (job) => html`<${JobActions} page=${page} job=${job} />` },
  ];
  return html`<${Table} label="Bulk acts" columns=${page.canAct ? columns : columns.slice(0, -1)} rows=${data.data} keyOf=${({ id }) => id} />`;
}

const STATES = { collecting: "thinking", running: "answering", completed: "completed", stopped: "failed" };

function describe({ filter, named_turns, undo_of }) {
  if (undo_of) return `undoes ${undo_of}`;
  if (named_turns) return pluralize(named_turns, "selected turn");
  const { statuses, ...conditions } = filter;
  return describeFilter({ ...conditions, status: statuses?.[0] }) || "all turns";
}

function stateOf({ status, is_stopping, blocked_by }) {
  if (is_stopping) return "stopping";
  return blocked_by && status === "running" ? `waits: ${blocked_by}` : status;
}

function Progress({ job: { total, done, skipped, refused, left_out, missing_partitions, refusal, status, id } }) {
  if (status === "collecting") return "Counting the turns…";
  const processed = done + skipped + refused;
  const notes = [
    skipped && `${skipped.toLocaleString("en")} skipped: ended or resolved before`,
    refused && `${refused.toLocaleString("en")} refused (${refusal}); still listed`,
    missing_partitions?.length > 0 && `without partitions ${missing_partitions.join(", ")}, which were away`,
    left_out && `${left_out.toLocaleString("en")} left out: they probably end their workers`,
  ].filter(Boolean);
  return html`<progress aria-label=${`Progress of ${id}`} max=${total || 1} value=${total ? processed : 1}></progress>
    ${" "}${done.toLocaleString("en")} of ${total.toLocaleString("en")} ${notes.length > 0 && html`<span class="owner">${notes.join("; ")}</span>`}`;
}

function JobActions({ page, job: { id, finished_at, can_undo, is_stopping } }) {
  if (finished_at) return can_undo ? html`<${ActionButton} page=${page} action=${undo(id)} of=${id} isSmall />` : null;
  return is_stopping ? null : html`<${ActionButton} page=${page} action=${stop(id)} of=${id} isSmall />`;
}
