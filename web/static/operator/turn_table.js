// Live turns, one a row. Who they are, what they do and since when; not what was said.
import { html } from "../shared/ui.js";
import { addressOf, placeOfSession } from "./place.js";
import { Table } from "./table.js";
import { Ago } from "./times.js";
import { doing, tenantInWords } from "./words.js";

const isRunning = ({ status }) => status === "in_progress";

const STATE = { head: "State", cell: (turn) => html`<${State} ...${doing(turn)} />` };
const TURN = { head: "Turn", cell: ({ id }) => html`<${TurnLink} id=${id} />` };
const SESSION = { head: "Session", cell: (turn) => html`<${SessionLink} of=${turn} />` };
const AGE = { head: "Age", isNumber: true, cell: ({ accepted_at }) => html`<${Ago} at=${accepted_at} />` };
const RUNS = { head: "Runs for", isNumber: true, cell: ({ started_at: at }) => at && html`<${Ago} at=${at} />` };
const ATTEMPT = { head: "Attempt", cell: (turn) => html`<${Attempt} ...${turn} />` };
const MODEL = { head: "Model", cell: ({ model }) => model };
const WORKER = { head: "Worker", cell: (turn) => (isRunning(turn) ? html`<${WorkerLink} name=${turn.worker} />` : null) };
const BEHIND = { head: "Behind it", isNumber: true, cell: ({ behind }) => behind || null };

const OF_ALL = [STATE, SESSION, TURN, AGE, RUNS, ATTEMPT, MODEL, WORKER, BEHIND];
const OF_ONE_SESSION = [STATE, TURN, AGE, RUNS, ATTEMPT, MODEL, WORKER];

export function TurnTable({ label, turns, empty, isOneSession = false }) {
  const columns = isOneSession ? OF_ONE_SESSION : OF_ALL;
  return html`<${Table} label=${label} columns=${columns} rows=${turns} keyOf=${({ id }) => id} empty=${empty} />`;
}

export function State({ state, words }) {
  return html`<span class=${`state ${state}`}>${words}</span>`;
}

// The end of an id tells turns apart; the beginning is the time.
export function TurnLink({ id }) {
  return html`<a class="id" href=${addressOf({ view: "turn", id })} title=${id} aria-label=${`Turn …${id.slice(-8)}`}>…${id.slice(-8)}</a>`;
}

export function SessionLink({ of }) {
  const owner = [of.tenant === "-" ? null : tenantInWords(of.tenant), of.user_id].filter(Boolean).join(" / ");
  return html`<a href=${addressOf(placeOfSession(of))}>${of.session_id}</a>${owner && html` <span class="owner">${owner}</span>`}`;
}

export function WorkerLink({ name }) {
  return html`<a class="cut" href=${addressOf({ view: "live", worker: name })} title=${name}>${name}</a>`;
}

function Attempt({ attempt, last_error_code }) {
  return last_error_code ? html`${attempt} <span class="owner">${last_error_code}</span>` : attempt;
}
