// The living workers, and the two switches of the whole service.
import { html } from "../shared/ui.js";
import { drain, pause, resume } from "./actions.js";
import { addressOf } from "./place.js";
import { Table } from "./table.js";
import { Ago } from "./times.js";
import { State } from "./turn_table.js";
import { SWITCHES } from "./words.js";

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
    { head: "State", cell: (worker) => html`<${State} ...${stateOf(worker)} />` },
    { head: "Runs", isNumber: true, cell: (worker) => html`<${Running} ...${worker} />` },
    { head: "Drain", cell: (worker) => html`<${Drain} page=${page} worker=${worker} />` },
  ];
  return html`<${Table} label="Workers" columns=${page.mayAct ? columns : columns.slice(0, -1)} rows=${workers} keyOf=${({ name }) => name}
    empty=${html`No worker is alive. Start one with <code>make worker</code>, and read the log of those that ended.`} />`;
}

function stateOf({ is_draining, running_turns }) {
  if (is_draining) return { state: "queued", words: "draining" };
  return running_turns.length ? { state: "answering", words: "working" } : { state: "idle", words: "idle" };
}

function Running({ name, running_turns }) {
  if (!running_turns.length) return 0;
  return html`<a href=${addressOf({ view: "live", worker: name })}>${running_turns.length}</a>`;
}

function Drain({ page, worker: { name, is_draining, running_turns } }) {
  if (is_draining) return "It ends when it has finished.";
  return html`<button type="button" class="quiet" aria-label=${`Drain ${name}`}
    onClick=${() => page.act(drain(name, running_turns.length))}>Drain</button>`;
}

function Switches({ page, paused }) {
  return html`<ul class="switches">
    ${Object.entries(SWITCHES).map(
      ([name, words]) => html`<li key=${name}>
        <p><b>${paused[name] ? html`${words.paused} for <${Ago} at=${paused[name]} />:` : words.open}</b> <span>${paused[name] ? "" : "While paused, "}${words.means}.</span></p>
        ${page.mayAct && html`<${SwitchButton} page=${page} name=${name} isPaused=${Boolean(paused[name])} />`}
      </li>`,
    )}
  </ul>`;
}

export function SwitchButton({ page, name, isPaused }) {
  const act = () => page.act(isPaused ? resume(name) : pause(name));
  return html`<button type="button" onClick=${act}>${isPaused ? "Resume" : "Pause"} ${SWITCHES[name].name}</button>`;
}
