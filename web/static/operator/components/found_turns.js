// A table of live and ended turns as a search finds them: ids, result and times, but no message text.
import { html } from "../../shared/ui.js";
import { liveStatus } from "../format/labels.js";
import { formatDuration, RelativeTime, secondsBetween } from "../format/time.js";
import { Table } from "./table.js";
import { SessionLink, StatusLabel, TurnLink } from "./turn_table.js";

const STATE = { head: "State", cell: (turn) => html`<${StatusLabel} ...${liveStatus(turn)} />${turn.code && html` <code>${turn.code}</code>`}` };
const SESSION = { head: "Session", cell: (turn) => html`<${SessionLink} of=${turn} />` };
const TURN = { head: "Turn", cell: ({ id }) => html`<${TurnLink} id=${id} />` };
const ACCEPTED = { head: "Accepted", isNumber: true, cell: ({ accepted_at }) => html`<${RelativeTime} at=${accepted_at} suffix=" ago" />` };
const TOOK = { head: "Took", isNumber: true, cell: ({ accepted_at, finished_at }) => finished_at && formatDuration(secondsBetween(accepted_at, finished_at)) };
const MODEL = { head: "Model", cell: ({ model }) => model };
const REQUEST = { head: "Request", cell: ({ request_id }) => request_id && html`<span class="id cut" title=${request_id}>${request_id}</span>` };

const ALL_SESSIONS = [STATE, SESSION, TURN, ACCEPTED, TOOK, MODEL, REQUEST];
const ONE_SESSION = ALL_SESSIONS.filter((column) => column !== SESSION);

export function FoundTurns({ label, turns, empty, isOneSession = false }) {
  const columns = isOneSession ? ONE_SESSION : ALL_SESSIONS;
  return html`<${Table} label=${label} columns=${columns} rows=${turns} keyOf=${({ id }) => id} empty=${empty} />`;
}
