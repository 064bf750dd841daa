// One turn: the message, the answer, the status, and the actions.
import { copyWithFeedback } from "../shared/clipboard.js";
import { Icon } from "../shared/icons.js";
import { Component, html } from "../shared/ui.js";
import { FileParts, textOf } from "./attachments.js";
import { Time } from "./dates.js";
import { turnDetails, turnLabel } from "./labels.js";
import { Markdown } from "./markdown.js";
import { Sources, Steps } from "./output_view.js";
import { isAnswering, isLive } from "./turn.js";

export function MessageView({ message: { role, content, parts }, page }) {
  const isUser = role === "user";
  return html`<article class="turn" aria-label=${isUser ? "Message" : "Answer"}>
    ${isUser ? html`<${UserMessage} text=${content} parts=${parts} page=${page} />` : html`<${Answer} text=${textOf(parts, content)} parts=${parts} page=${page} />`}
  </article>`;
}

export function TurnView({ turn, page, isLast, edit }) {
  return html`<article class=${`turn ${turn.state}`} data-state=${turn.state} data-turn=${turn.id} aria-label="Turn"
    aria-busy=${isLive(turn) ? "true" : "false"}>
    <${UserMessage} text=${turn.input} parts=${turn.parts} at=${turn.acceptedAt} page=${page} />
    <${Steps} parts=${turn.answerParts} isAnswering=${isAnswering(turn)} />
    ${(turn.text || turn.answerParts.some(({ type }) => type === "image")) &&
    html`<${Answer} text=${turn.text} parts=${turn.answerParts} page=${page} isOpen=${turn.state === "streaming"} />`}
    <${Sources} parts=${turn.answerParts} />
    <div class="turn-foot">
      <${TurnStatus} turn=${turn} />
      ${actionsFor(turn, { page, isLast, edit })}
      ${!isLive(turn) && html`<span class="details">${turn.finishedAt && html`<${Time} at=${turn.finishedAt} />`}
        ${turn.state === "done" && turnDetails(turn)}</span>`}
    </div>
  </article>`;
}

function UserMessage({ text, parts, at, page }) {
  const shown = textOf(parts, text);
  return html`<div class="user-message"><h2 class="visually-hidden">You</h2>${at && html`<${Time} at=${at} />`}
    <div class="user-content"><${FileParts} parts=${parts} userId=${page.conversation.session.user_id} />
      ${shown && html`<p dir="auto">${shown}</p>`}</div></div>`;
}

function Answer({ text, parts, page, isOpen = false }) {
  return html`<div class="answer"><h2 class="visually-hidden">Answer</h2><${Markdown} text=${text} isOpen=${isOpen} />
    <${FileParts} parts=${parts} userId=${page.conversation.session.user_id} /></div>`;
}

// Renders every second while the label contains a time.
class TurnStatus extends Component {
  #timer = null;

  componentDidMount() {
    this.#timer = setInterval(() => (hasTime(this.props.turn) ? this.forceUpdate() : undefined), 1000);
  }

  componentWillUnmount() {
    clearInterval(this.#timer);
  }

  render({ turn }) {
    const label = turnLabel(turn);
    if (!label) return null;
    return html`<p class="turn-status">
      ${hasTime(turn) && html`<span class="pulse" aria-hidden="true"></span>`}
      <span class="label">${label}</span>
    </p>`;
  }
}

const hasTime = (turn) => isLive(turn) || turn.resendAtMs !== null;

function actionsFor(turn, { page, isLast, edit }) {
  const { state, kind } = turn;
  const button = (icon, label, onClick) =>
    html`<button key=${label} type="button" class="quiet" onClick=${onClick}><${Icon} name=${icon} />${label}</button>`;
  const takeBack = () => edit.text(page.outbox.takeMessage(turn.key), turn.parts ?? []);
  const copy = turn.text && !isLive(turn) && button("copy", "Copy", ({ currentTarget }) => copyWithFeedback(currentTarget, turn.text));
  const change = () => (page.startEditing(turn), edit.text(textOf(turn.parts, turn.input)));
  const isIdle = !page.conversation.live.length;
  const committed = [
    copy,
    isLast && isIdle && button("retry", "Regenerate", () => page.regenerate(turn)),
    isIdle && button("edit", "Edit", change),
    button("branch", "Branch", () => page.branch(turn)),
  ];
  const askAgain = isLast && button("retry", "Ask again", () => edit.missing(page.askAgain(turn)));
  if (kind === "unanswered") return turn.isTruncated ? [] : [askAgain];
  switch (state) {
    case "unsent":
      return [button("retry", "Send again", () => page.outbox.resend(turn.key)), button("edit", "Edit", takeBack)];
    case "waiting":
      return [button("cancel", "Cancel", takeBack)];
    case "failed":
      return turn.isRetried ? [copy] : [button("retry", "Retry", () => page.retry(turn)), copy];
    case "done":
    case "interrupted":
      return committed;
    case "stopped":
    case "expired":
      return [copy, askAgain];
    case "queued":
      return [button("cancel", "Cancel", () => page.stop(turn))];
    default:
      return [];
  }
}
