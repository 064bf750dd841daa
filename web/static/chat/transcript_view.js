// The conversation. It stays at its end while that is in sight, and never moves under somebody who reads further up.
import { transcriptOf } from "./transcript.js";
import { MessageView, TurnView } from "./turn_view.js";
import { Component, createRef, html } from "../shared/ui.js";
import { isSame } from "./place.js";

const NEAR = 60; // pixels from the end that still count as being there

export class TranscriptView extends Component {
  #place = createRef();
  #isAtEnd = true;

  componentDidMount() {
    this.#keepEnd();
  }

  componentDidUpdate({ session, said }) {
    // Another session, or something new of one's own: there the end is what is wanted.
    if (session !== this.props.session || said !== this.props.said) this.#isAtEnd = true;
    this.#keepEnd();
  }

  render({ page, edit }) {
    const { conversation } = page;
    const entries = entriesOf(page);
    return html`<div class="transcript-frame">
      <div class="transcript" ref=${this.#place} tabindex="0" role="region" aria-label="Conversation"
        onScroll=${() => this.#scrolled()}>
        <div class="column">
          ${conversation.hasEarlier &&
          html`<button type="button" class="quiet earlier" onClick=${() => page.loadEarlier()}>Show earlier messages</button>`}
          ${!entries.length && html`<${Empty} page=${page} />`}
          ${entries.map((entry, at) => view(entry, { page, edit, isLast: at === entries.length - 1 }))}
        </div>
      </div>
      ${!this.#isAtEnd &&
      html`<button type="button" class="to-end" onClick=${() => this.#jump()}>↓ Jump to latest</button>`}
    </div>`;
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.#place.current;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR;
    if (isAtEnd === this.#isAtEnd) return;
    this.#isAtEnd = isAtEnd;
    this.forceUpdate();
  }

  #jump() {
    this.#isAtEnd = true;
    this.#keepEnd();
    this.forceUpdate();
  }

  #keepEnd() {
    const place = this.#place.current;
    if (this.#isAtEnd) place.scrollTop = place.scrollHeight;
  }
}

export function entriesOf({ conversation, outbox }) {
  const mine = outbox.turns.filter((turn) => isSame(turn.session, conversation.session));
  return transcriptOf({ turns: conversation.turns, messages: conversation.messages, outbox: mine });
}

function view(entry, more) {
  if (entry.kind === "message") return html`<${MessageView} key=${entry.id} message=${entry} />`;
  return html`<${TurnView} key=${entry.key ?? entry.id} turn=${entry} ...${more} />`;
}

function Empty({ page }) {
  const { conversation } = page;
  if (conversation.problem) return html`<p class="empty">${conversation.problem} Trying again…</p>`;
  if (!conversation.isLoaded) return html`<p class="empty">Loading the session…</p>`;
  return html`<div class="empty">
    <h2>What would you like to know?</h2>
    <p>Each message is a turn. Turns of a session are answered one at a time, in order; you may close this page
      meanwhile, and nothing is lost.</p>
  </div>`;
}
