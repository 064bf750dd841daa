// One turn: the message, the answer, the status, and the actions.
import { copyWithFeedback } from "../shared/clipboard.js";
import { Component, html } from "../shared/ui.js";
import { turnDetails, turnLabel } from "./labels.js";
import { Markdown } from "./markdown.js";
import { isLive } from "./turn.js";

export function MessageView({ message: { role, content } }) {
  const isUser = role === "user";
  return html`<article class="turn" aria-label=${isUser ? "Message" : "Answer"}>
    ${isUser ? html`<${UserMessage} text=${content} />` : html`<${Answer} text=${content} />`}
  </article>`;
}

export function TurnView({ turn, page, isLast, edit }) {
  return html`<article class=${`turn ${turn.state}`} data-state=${turn.state} data-turn=${turn.id} aria-label="Turn"
    aria-busy=${isLive(turn) ? "true" : "false"}>
    <${UserMessage} text=${turn.input} />
    ${turn.text && html`<${Answer} text=${turn.text} isOpen=${turn.state === "streaming"} />`}
    <${TurnStatus} turn=${turn} />
    <div class="actions">${actionsFor(turn, { page, isLast, edit })}</div>
  </article>`;
}

function UserMessage({ text }) {
  return html`<div class="user-message"><h2 class="visually-hidden">You</h2><p dir="auto">${text}</p></div>`;
}

function Answer({ text, isOpen = false }) {
  return html`<div class="answer"><h2 class="visually-hidden">Answer</h2><${Markdown} text=${text} isOpen=${isOpen} /></div>`;
}

// Renders every second while the turn is live, because the label contains a time.
class TurnStatus extends Component {
  #timer = null;

  componentDidMount() {
    this.#timer = setInterval(() => (isLive(this.props.turn) ? this.forceUpdate() : undefined), 1000);
  }

  componentWillUnmount() {
    clearInterval(this.#timer);
  }

  render({ turn }) {
    const label = turnLabel(turn);
    const details = turn.state === "done" ? turnDetails(turn) : "";
    if (!label && !details) return null;
    return html`<p class="turn-status">
      ${isLive(turn) && html`<span class="pulse" aria-hidden="true"></span>`}
      ${label && html`<span class="label">${label}</span>`}
      ${details && html`<span class="details">${details}</span>`}
    </p>`;
  }
}

function actionsFor(turn, { page, isLast, edit }) {
  const { state } = turn;
  const button = (label, onClick) => html`<button key=${label} type="button" class="quiet" onClick=${onClick}>${label}</button>`;
  const copy = turn.text && !isLive(turn) && button("Copy answer", ({ target }) => copyWithFeedback(target, turn.text));
  const askAgain = isLast && button("Ask again", () => edit.missing(page.send(turn.input)));
  switch (state) {
    case "unsent":
      return [
        button("Send again", () => page.outbox.resend(turn.key)),
        button("Edit", () => edit.text(page.outbox.takeMessage(turn.key))),
      ];
    case "failed":
      return turn.isRetried ? [copy] : [button("Retry", () => page.retry(turn)), copy];
    case "done":
    case "stopped":
    case "expired":
    case "interrupted":
      return [copy, askAgain];
    case "queued":
      return [button("Cancel", () => page.stop(turn))];
    default:
      return [];
  }
}
