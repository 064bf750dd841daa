// The conversation. It follows new text while its end is visible, and does not scroll while the user reads further up.
import { Icon } from "../shared/icons.js";
import { Component, createRef, html } from "../shared/ui.js";
import { Empty } from "./empty.js";
import { isSameSession } from "./route.js";
import { buildTranscript } from "./transcript.js";
import { MessageView, TurnView } from "./turn_view.js";

const END_TOLERANCE = 60; // pixels from the end that still count as the end

export class TranscriptView extends Component {
  #scroller = createRef();
  #isAtEnd = true;

  componentDidMount() {
    this.#scrollToEnd();
    // The keyboard of a phone, a growing message box and a rotated screen take room from the end.
    new ResizeObserver(() => this.#scrollToEnd()).observe(this.#scroller.current);
  }

  componentDidUpdate({ session, lastSentKey }) {
    // After switching sessions or sending a message, the user wants to see the end.
    if (session !== this.props.session || lastSentKey !== this.props.lastSentKey) this.#isAtEnd = true;
    this.#scrollToEnd();
  }

  render({ page, edit }) {
    const { conversation } = page;
    const entries = transcriptEntries(page);
    return html`<div class="transcript-frame">
      <div class="transcript" ref=${this.#scroller} tabindex="0" role="region" aria-label="Conversation"
        onScroll=${() => this.#handleScroll()}>
        <div class="column">
          ${conversation.hasEarlier &&
          html`<button type="button" class="quiet earlier" onClick=${() => page.loadEarlier()}>Show earlier messages</button>`}
          ${!entries.length && html`<${Empty} page=${page} edit=${edit} />`}
          ${entries.map((entry, at) => view(entry, { page, edit, isLast: at === entries.length - 1 }))}
        </div>
      </div>
      ${!this.#isAtEnd &&
      html`<button type="button" class="to-end" onClick=${() => this.#jumpToEnd()}><${Icon} name="down" />Jump to latest</button>`}
    </div>`;
  }

  #handleScroll() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller.current;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < END_TOLERANCE;
    if (isAtEnd === this.#isAtEnd) return;
    this.#isAtEnd = isAtEnd;
    this.forceUpdate();
  }

  #jumpToEnd() {
    this.#isAtEnd = true;
    this.#scrollToEnd();
    this.forceUpdate();
  }

  #scrollToEnd() {
    const scroller = this.#scroller.current;
    if (this.#isAtEnd) scroller.scrollTop = scroller.scrollHeight;
  }
}

export function transcriptEntries({ conversation, outbox }) {
  const ofSession = outbox.turns.filter((turn) => isSameSession(turn.session, conversation.session));
  const { turns, messages, unanswered, hasEarlierMessages } = conversation;
  return buildTranscript({ turns, messages, unanswered, isCut: hasEarlierMessages, outbox: ofSession });
}

function view(entry, props) {
  if (entry.kind === "message") return html`<${MessageView} key=${entry.id} message=${entry} page=${props.page} />`;
  return html`<${TurnView} key=${entry.key ?? entry.id} turn=${entry} ...${props} />`;
}
