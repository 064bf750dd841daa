// The running workers, and the two switches that pause the whole service.
import { commands } from "../shared/commands.js";
import { html } from "../shared/ui.js";
import { drain, pause, resume } from "./actions.js";
import { SWITCHES } from "./labels.js";
import { urlOf } from "./route.js";
import { Table } from "./table.js";
import { formatDuration, RelativeTime } from "./time.js";
import { StatusLabel } from "./turn_table.js";

export function WorkersView({ page, stats }) {
  if (!stats) return null;
  return html`
    <${WorkerTable} page=${page} workers=${stats.workers} />
    <h2>Pause</h2>
    <${Switches} page=${page} paused=${stats.paused} />`;
}

function WorkerTable({ page, workers }) {
  const columns = [
    { head: "Worker", cell: ({ name }) => html`<span class="id">${name}</span>` },
    { head: "State", cell: (worker) => html`<${StatusLabel} ...${workerStatus(worker)} />` },
    { head: "Running turns", isNumber: true, cell: (worker) => html`<${RunningTurns} ...${worker} />` },
    { head: "Actions", cell: (worker) => html`<${Drain} page=${page} worker=${worker} />` },
  ];
  return html`<${Table} label="Workers" columns=${page.canAct ? columns : columns.slice(0, -1)} rows=${workers} keyOf=${({ name }) => name}
    empty=${html`No worker is running. Start one with <code>${commands.worker}</code>. If one has stopped, its log has the reason.`} />`;
}

function workerStatus({ is_alive, silent_seconds, is_draining, running_turns }) {
  if (!is_alive) return { state: "queued", label: `silent for ${formatDuration(silent_seconds)}` };
  if (is_draining) return { state: "queued", label: "draining" };
  return running_turns.length ? { state: "answering", label: "working" } : { state: "idle", label: "idle" };
}

function RunningTurns({ name, running_turns }) {
  if (!running_turns.length) return 0;
  return html`<a href=${urlOf({ view: "live", worker: name })}>${running_turns.length}</a>`;
}

function Drain({ page, worker: { name, is_alive, is_draining, running_turns } }) {
  if (!is_alive) return "Another worker takes its turns over.";
  if (is_draining) return "Stops when its turns are finished.";
  return html`<button type="button" class="quiet" aria-label=${`Drain ${name}`}
    onClick=${() => page.act(drain(name, running_turns.length))}>Drain</button>`;
}

function Switches({ page, paused }) {
  return html`<ul class="switches">
    ${Object.entries(SWITCHES).map(
      ([name, { title, open, effect }]) => html`<li key=${name}>
        <p><b>${paused[name] ? html`${title} paused for <${RelativeTime} at=${paused[name]} />:` : open}</b> <span>${paused[name] ? "" : "While paused, "}${effect}.</span></p>
        ${page.canAct && html`<${SwitchButton} page=${page} name=${name} isPaused=${Boolean(paused[name])} />`}
      </li>`,
    )}
  </ul>`;
}

export function SwitchButton({ page, name, isPaused }) {
  const act = () => page.act(isPaused ? resume(name) : pause(name));
  return html`<button type="button" onClick=${act}>${isPaused ? "Resume" : "Pause"} ${name}</button>`;
}
