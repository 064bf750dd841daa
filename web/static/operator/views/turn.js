// One turn: its timeline, workers and run outcomes. The message text is shown only on request.
import { copyWithFeedback } from "../../shared/clipboard.js";
import { serverNow } from "../../shared/http.js";
import { html } from "../../shared/ui.js";
import { pause } from "../actions/pauses.js";
import { cancelTurn } from "../actions/turns.js";
import { ActionButton } from "../components/action_button.js";
import { SessionLink, StatusLabel, TurnLink, WorkerLink } from "../components/turn_table.js";
import { ADVICE, liveStatus, tenantLabel } from "../format/labels.js";
import { formatDuration, formatLocalAndUtc, formatTime, Instant, RelativeTime, secondsBetween } from "../format/time.js";
import { isLive, timelineEvents, timeSegments } from "../format/timeline.js";
import { sessionRoute, urlOf } from "../route.js";
import { TurnActions } from "./failed.js";

export function TurnView({ page, data }) {
  if (!data) return null;
  const lastRun = data.runs.at(-1);
  const now = new Date(serverNow()).toISOString();
  return html`
    <p class="summary"><${StatusLabel} ...${liveStatus({ ...lastRun, ...data, silent_since: silentSince(data), last_error_code: lastRun?.code, paused_by: data.is_paused })} /> ${durationText(data, now)}
      ${isLive(data) && html` <a href=${urlOf(sessionRoute(data))}>${data.status === "queued" ? "Why is it waiting?" : "Queue of its session"}</a>`}
      ${isLive(data) && html` <${ActionButton} page=${page} action=${cancelTurn(data.id)} />`}</p>
    ${data.code && html`<p class="why"><b>${data.code}</b>: ${data.message} ${ADVICE[data.code]}
      ${data.status === "failed" && html`<${TurnActions} page=${page} id=${data.id} />`}</p>`}
    <${SegmentBar} segments=${timeSegments(data, now)} />
    <${Events} turn=${data} now=${now} />
    <${Facts} page=${page} turn=${data} />
    ${page.canAct && html`<${MessageText} page=${page} id=${data.id} />`}`;
}

const silentSince = ({ waits }) => waits.find(({ reason, until }) => reason === "silent" && !until)?.since;

function durationText(turn, now) {
  if (turn.finished_at) {
    const duration = formatDuration(secondsBetween(turn.accepted_at, turn.finished_at));
    return html`after ${duration}, <${RelativeTime} at=${turn.finished_at} suffix=" ago" />.`;
  }
  const retry = turn.retry_at && html` Next run: <${RelativeTime} at=${turn.retry_at} suffix=" ago" />.`;
  return html`for ${formatDuration(secondsBetween(turn.accepted_at, now))}.${retry}`;
}

const SEGMENTS = {
  ...{ waiting: "waiting for a worker", missing: "no worker", behind: "behind earlier turns", held: "held", parked: "waiting for a slot" },
  ...{ retry: "waiting to retry", lost: "worker lost", thinking: "no token yet", answering: "answering", silent: "silent" },
};

// Hidden from screen readers because the list of events has the same content.
function SegmentBar({ segments }) {
  return html`<div class="bar" aria-hidden="true">
    ${segments.map(({ kind, seconds, label }) => {
      const title = `${label}, ${formatDuration(seconds)}`;
      return html`<span class=${kind} title=${title} style=${{ flexGrow: seconds }}></span>`;
    })}
  </div>
  <p class="legend" aria-hidden="true">${Object.entries(SEGMENTS).map(
    ([kind, label]) => segments.some((segment) => segment.kind === kind) && html`<span key=${kind} class=${kind}>${label}</span> `,
  )}</p>`;
}

function Events({ turn, now }) {
  return html`<ol class="events" aria-label="Timeline, in UTC">
    ${timelineEvents(turn, now).map(
      ({ at, label, seconds, run, code }) => html`<li key=${label + at}>
        <time datetime=${at} title=${formatLocalAndUtc(at)}>${formatTime(at)}</time>
        <span class="after">${seconds === null ? "" : `+ ${formatDuration(seconds)}`}</span>
        <span>${label}${run && html` on <${WorkerLink} name=${run.worker} /> <span class="owner">${run.model}</span>`}
          ${code && html` <code>${code}</code>`}</span>
      </li>`,
    )}
  </ol>`;
}

function Facts({ page, turn }) {
  const { expires_at, usage, runs } = turn;
  const sent = runs.filter((run) => run.provider_request_id);
  const facts = {
    Session: html`<${SessionLink} of=${turn} />, turn number ${turn.sequence}`,
    Tenant: html`${tenantLabel(turn.tenant)} <${ActionButton} page=${page} action=${pause({ kind: "tenant", name: turn.tenant })} text="Pause…" isSmall />`,
    Assistant: html`${turn.assistant}, lane ${turn.lane} <${ActionButton} page=${page} action=${pause({ kind: "assistant", name: turn.assistant })} text="Pause…" isSmall />`,
    Model: turn.runs.length > 0 && html`${turn.runs.at(-1).model} <${ActionButton} page=${page} action=${pause({ kind: "model", name: turn.runs.at(-1).model })} text="Pause…" isSmall />`,
    "API key": turn.key_id && html`<a class="id" href=${urlOf({ view: "audit", key_id: turn.key_id })}>${turn.key_id}</a>`,
    "Lost workers": turn.losses || null,
    Tokens: usage && tokensText(usage),
    Regenerates: turn.regenerates && html`<${TurnLink} id=${turn.regenerates} />`,
    "Superseded by": turn.superseded_by && html`<${TurnLink} id=${turn.superseded_by} />`,
    "Retry of": turn.retry_of && html`<${TurnLink} id=${turn.retry_of} />`,
    "Sent to workers": turn.hinted_at && isLive(turn) && html`<${RelativeTime} at=${turn.hinted_at} suffix=" ago" />`,
    "Kept until": expires_at && html`<${Instant} at=${expires_at} hasDate />`,
    Request: turn.request_id && html`<${CopyableId} text=${turn.request_id} />`,
    "Provider's requests": sent.length > 0 && sent.map((run) => html`<div key=${run.number}>run ${run.number}: <${CopyableId} text=${run.provider_request_id} /></div>`),
    Trace: turn.trace_id && html`<${CopyableId} text=${turn.trace_id} />`,
    Turn: html`<${CopyableId} text=${turn.id} />`,
  };
  return html`<dl class="facts">
    ${Object.entries(facts).map(([name, fact]) => fact && html`<div key=${name}><dt>${name}</dt><dd>${fact}</dd></div>`)}
  </dl>`;
}

// The provider need not report what it has cached and how much was reasoning.
function tokensText({ input_tokens, cached_tokens, output_tokens, reasoning_tokens }) {
  const cached = cached_tokens ? ` (${cached_tokens} cached)` : "";
  const reasoning = reasoning_tokens ? ` (${reasoning_tokens} reasoning)` : "";
  return `${input_tokens} in${cached}, ${output_tokens} out${reasoning}`;
}

function CopyableId({ text }) {
  return html`<span class="id">${text}</span> <button type="button" class="quiet" aria-label=${`Copy ${text}`}
    onClick=${({ currentTarget }) => copyWithFeedback(currentTarget, text)}>Copy</button>`;
}

function MessageText({ page, id }) {
  const { text } = page.state;
  if (text?.id !== id) {
    return html`<p class="message-text"><button type="button" onClick=${() => page.showText(id)}>Show message text</button>
      <span>Recorded in the audit log.</span></p>`;
  }
  return html`<div class="message-text">
    <h2>Question</h2><pre tabindex="0">${text.input}</pre>
    <h2>Answer</h2>${text.output === null ? html`<p class="empty">No answer is stored.</p>` : html`<pre tabindex="0">${text.output}</pre>`}
  </div>`;
}
