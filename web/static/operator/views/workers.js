// The processes of the service, and the two switches that pause all of it.
import { commands } from "../../shared/commands.js";
import { html } from "../../shared/ui.js";
import { pause, resume } from "../actions/pauses.js";
import { drain, rescueWorker } from "../actions/service.js";
import { ActionButton } from "../components/action_button.js";
import { Table } from "../components/table.js";
import { StatusLabel } from "../components/turn_table.js";
import { SWITCHES } from "../format/labels.js";
import { RelativeTime } from "../format/time.js";
import { urlOf } from "../route.js";

export function WorkersView({ page, stats, data }) {
  if (!stats || !data) return null;
  return html`
    <${WorkerTable} page=${page} workers=${data.data} />
    <h2>Endpoint</h2>
    <${Table} label="Processes of the endpoint" columns=${[STATE, ...FACTS]} rows=${data.web_processes} keyOf=${({ name }) => name}
      empty="No process of the endpoint has reported yet." />
    <h2>Pause</h2>
    <${Switches} page=${page} paused=${stats.paused} />
    ${page.canAct && html`<p>A tenant, assistant, lane, provider or model: <${ActionButton} page=${page} action=${pause()} isSmall /></p>`}`;
}

const STATE = { head: "State", cell: (process) => html`<${ProcessStatus} ...${process} />` };
const FACTS = [
  { head: "Version", cell: ({ version }) => version || null },
  { head: "Since", isNumber: true, cell: ({ started_at: at }) => at && html`<${RelativeTime} at=${at} suffix=" ago" />` },
  { head: "Memory", isNumber: true, cell: ({ memory_bytes: bytes }) => bytes && `${Math.round(bytes / 1e6)} MB` },
  { head: "Host and process", cell: ({ name }) => html`<span class="id">${name}</span>` },
];

function WorkerTable({ page, workers }) {
  const columns = [
    STATE,
    { head: "Kind", cell: ({ kind }) => kind },
    { head: "Slots", isNumber: true, cell: (worker) => html`<${Slots} ...${worker} />` },
    ...FACTS,
    { head: "Model", cell: ({ model }) => model || null },
    { head: "Actions", cell: (worker) => html`<${Drain} page=${page} worker=${worker} />` },
  ];
  return html`<${Table} label="Workers" columns=${page.canAct ? columns : columns.slice(0, -1)} rows=${workers} keyOf=${({ name }) => name}
    empty=${html`No worker is running. Start one with <code>${commands.worker}</code>. If one has stopped, its log has the reason.`} />`;
}

function ProcessStatus(process) {
  const { state, running_turns, beat_at, seen_at, ended_at } = process;
  if (state === "running" && running_turns) return html`<${StatusLabel} ...${workLabel(running_turns)} />`;
  const since = { silent: beat_at ?? seen_at, ended: ended_at, dead: ended_at }[state];
  const label = since ? html`${state} <${RelativeTime} at=${since} suffix=${state === "silent" ? "" : " ago"} />` : state;
  return html`<${StatusLabel} state=${STATE_CLASSES[state] ?? "queued"} label=${label} />`;
}

const STATE_CLASSES = { running: "idle", ended: "cancelled", dead: "failed" };

const workLabel = (turns) => (turns.length ? { state: "answering", label: "working" } : { state: "idle", label: "idle" });

// The turns that it holds as a link, of the number that it can run at once.
function Slots({ name, running_turns, slots }) {
  const held = html`<${RunningTurns} name=${name} running_turns=${running_turns} />`;
  return slots ? html`${held} of ${slots}` : held;
}

function RunningTurns({ name, running_turns }) {
  if (!running_turns.length) return 0;
  return html`<a href=${urlOf({ view: "live", worker: name })}>${running_turns.length}</a>`;
}

function Drain({ page, worker: { name, state, running_turns } }) {
  if (state === "ended") return null;
  if (state === "dead") return running_turns.length ? "Another worker takes its turns over." : null;
  if (state === "silent" && !running_turns.length) return null;
  if (state === "silent") return html`<${ActionButton} page=${page} action=${rescueWorker(name, running_turns.length)} of=${name} isSmall />`;
  if (state === "draining") return "Stops when its turns are finished.";
  return html`<${ActionButton} page=${page} action=${drain(name, running_turns.length)} of=${name} isSmall />`;
}

function Switches({ page, paused }) {
  return html`<ul class="switches">
    ${Object.entries(SWITCHES).map(
      ([name, { open, effect }]) => html`<li key=${name}>
        <p><b>${paused[name] ? html`Paused for <${RelativeTime} at=${paused[name]} />:` : open}</b> <span>${paused[name] ? "" : "While paused, "}${effect}.</span></p>
        <${ActionButton} page=${page} action=${paused[name] ? resume({ kind: name, name: "" }) : pause({ kind: name, name: "" })} />
      </li>`,
    )}
  </ul>`;
}
