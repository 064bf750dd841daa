// One turn: when what happened to it, who ran it, how each run ended. What was said in it only when asked for.
import { copyAndSay } from "../shared/clipboard.js";
import { serverNow } from "../shared/http.js";
import { html } from "../shared/ui.js";
import { ForOne } from "./failed_view.js";
import { addressOf } from "./place.js";
import { eventsOf, isLive, stretchesOf } from "./timeline.js";
import { Ago, between, clock, inUtc, seconds } from "./times.js";
import { SessionLink, State, TurnLink, WorkerLink } from "./turn_table.js";
import { ADVICE, doing, tenantInWords } from "./words.js";

export function TurnView({ page, data }) {
  if (!data) return null;
  const last = data.runs.at(-1);
  const now = new Date(serverNow()).toISOString();
  return html`
    <p class="told"><${State} ...${doing({ ...last, ...data })} /> ${standing(data, now)}
      ${isLive(data) && html` <a href=${addressOf({ view: "session", ...ownerOf(data) })}>${data.status === "queued" ? "Why does it wait?" : "The queue of its session"}</a>`}</p>
    ${data.code && html`<p class="why"><b>${data.code}</b>: ${ADVICE[data.code]}
      ${data.status === "failed" && page.mayAct && html`<${ForOne} page=${page} id=${data.id} />`}</p>`}
    <${Bar} stretches=${stretchesOf(data, now)} />
    <${Events} turn=${data} />
    <${Facts} turn=${data} />
    ${page.mayAct && html`<${Said} page=${page} id=${data.id} />`}`;
}

const ownerOf = ({ tenant, session_id, user_id }) => ({ tenant, session_id, user_id });

function standing(turn, now) {
  if (turn.finished_at) return html`after ${seconds(between(turn.accepted_at, turn.finished_at))}, <${Ago} at=${turn.finished_at} /> ago.`;
  const retry = turn.retry_at && html` Its next attempt is due: <${Ago} at=${turn.retry_at} />.`;
  return html`for ${seconds(between(turn.accepted_at, now))} now.${retry}`;
}

// The list below says the same in words.
function Bar({ stretches }) {
  return html`<div class="bar" aria-hidden="true">
    ${stretches.map(({ kind, seconds: passed, words }) => {
      const title = `${words}, ${seconds(passed)}`;
      return html`<span class=${kind} title=${title} style=${{ flexGrow: passed }}></span>`;
    })}
  </div>
  <p class="legend" aria-hidden="true"><span class="waited">waits</span> <span class="thinking">no word yet</span> <span class="answering">answers</span></p>`;
}

function Events({ turn }) {
  return html`<ol class="events" aria-label="What happened, in UTC">
    ${eventsOf(turn).map(
      ({ at, what, after, run, code }) => html`<li key=${what + at}>
        <time datetime=${at} title=${inUtc(at)}>${clock(at)}</time>
        <span class="after">${after === null ? "" : `+ ${seconds(after)}`}</span>
        <span>${what}${run && html` on <${WorkerLink} name=${run.worker} /> <span class="owner">${run.model}</span>`}
          ${code && html` <code>${code}</code>`}</span>
      </li>`,
    )}
  </ol>`;
}

function Facts({ turn }) {
  const facts = {
    Session: html`<${SessionLink} of=${turn} />, its turn number ${turn.sequence}`,
    Tenant: tenantInWords(turn.tenant),
    Assistant: `${turn.assistant}, lane ${turn.lane}`,
    Tokens: turn.usage && `${turn.usage.input_tokens} in, ${turn.usage.output_tokens} out`,
    "Retry of": turn.retry_of && html`<${TurnLink} id=${turn.retry_of} />`,
    "A worker was told": turn.hinted_at && isLive(turn) && html`<${Ago} at=${turn.hinted_at} /> ago`,
    "Is kept for": turn.expires_at && html`<${Ago} at=${turn.expires_at} />`,
    Trace: turn.trace_id && html`<${Copied} text=${turn.trace_id} />`,
    Turn: html`<${Copied} text=${turn.id} />`,
  };
  return html`<dl class="facts">
    ${Object.entries(facts).map(([name, fact]) => fact && html`<div key=${name}><dt>${name}</dt><dd>${fact}</dd></div>`)}
  </dl>`;
}

function Copied({ text }) {
  return html`<span class="id">${text}</span> <button type="button" class="quiet" aria-label=${`Copy ${text}`}
    onClick=${({ currentTarget }) => copyAndSay(currentTarget, text)}>Copy</button>`;
}

function Said({ page, id }) {
  const { text } = page.now;
  if (text?.id !== id) {
    return html`<p class="said-in-it"><button type="button" onClick=${() => page.showText(id)}>Show what was said</button>
      <span>The log tells who asked.</span></p>`;
  }
  return html`<div class="said-in-it">
    <h2>Question</h2><pre tabindex="0">${text.input}</pre>
    <h2>Answer</h2>${text.output === null ? html`<p class="none">There is none.</p>` : html`<pre tabindex="0">${text.output}</pre>`}
  </div>`;
}
