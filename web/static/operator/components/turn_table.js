// A table of live turns: ids, state and times, but no message text.
import { html } from "../../shared/ui.js";
import { liveStatus, lossNote, tenantLabel } from "../format/labels.js";
import { RelativeTime } from "../format/time.js";
import { sessionRoute, urlOf } from "../route.js";
import { Table } from "./table.js";

const isRunning = ({ status }) => status === "in_progress";

const STATE = { head: "State", cell: (turn) => html`<${StatusLabel} ...${liveStatus(turn)} />` };
const TURN = { head: "Turn", cell: ({ id }) => html`<${TurnLink} id=${id} />` };
const SESSION = { head: "Session", cell: (turn) => html`<${SessionLink} of=${turn} />` };
const AGE = { head: "Age", isNumber: true, cell: ({ accepted_at }) => html`<${RelativeTime} at=${accepted_at} />` };
const RUNNING = { head: "Running for", isNumber: true, cell: ({ started_at: at }) => at && html`<${RelativeTime} at=${at} />` };
const ATTEMPT = { head: "Attempt", cell: (turn) => html`<${Attempt} ...${turn} />` };
const MODEL = { head: "Model", cell: ({ model }) => model };
const WORKER = { head: "Worker", cell: (turn) => (isRunning(turn) ? html`<${WorkerLink} name=${turn.worker} />` : null) };
const BEHIND = { head: "Waiting behind it", isNumber: true, cell: ({ behind }) => behind || null };

const ALL_SESSIONS = [STATE, SESSION, TURN, AGE, RUNNING, ATTEMPT, MODEL, WORKER, BEHIND];
const ONE_SESSION = [STATE, TURN, AGE, RUNNING, ATTEMPT, MODEL, WORKER];

// `first`: a column before the others, such as check boxes.
export function TurnTable({ label, turns, empty, first, isOneSession = false }) {
  const columns = [...(first ? [first] : []), ...(isOneSession ? ONE_SESSION : ALL_SESSIONS)];
  return html`<${Table} label=${label} columns=${columns} rows=${turns} keyOf=${({ id }) => id} empty=${empty} />`;
}

export function StatusLabel({ state, label }) {
  return html`<span class=${`state ${state}`}>${label}</span>`;
}

// Turn ids begin with a timestamp, so the last characters are the ones that differ.
export function TurnLink({ id }) {
  return html`<a class="id" href=${urlOf({ view: "turn", id })} title=${id} aria-label=${`Turn …${id.slice(-8)}`}>…${id.slice(-8)}</a>`;
}

export function SessionLink({ of }) {
  const owner = [of.tenant === "-" ? null : tenantLabel(of.tenant), of.user_id].filter(Boolean).join(" / ");
  return html`<a href=${urlOf(sessionRoute(of))}>${of.session_id}</a>${owner && html` <span class="owner">${owner}</span>`}`;
}

export function WorkerLink({ name }) {
  return html`<a class="cut" href=${urlOf({ view: "live", worker: name })} title=${name}>${name}</a>`;
}

function Attempt(turn) {
  const notes = [turn.last_error_code, lossNote(turn)].filter(Boolean).join(", ");
  return notes ? html`${turn.attempt} <span class="owner">${notes}</span>` : turn.attempt;
}
