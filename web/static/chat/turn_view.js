// One turn: what was said, the answer, how it stands in words, and what can be done about it.
import { copyAndSay } from "../shared/clipboard.js";
import { Markdown } from "./markdown.js";
import { isLive } from "./turn.js";
import { Component, html } from "../shared/ui.js";
import { detailsInWords, stateInWords } from "./words.js";

export function MessageView({ message }) {
  const { role, content } = message;
  return html`<article class="turn" aria-label=${role === "user" ? "You said" : "Answer"}>
    ${role === "user" ? html`<${Said} text=${content} />` : html`<${Answer} text=${content} />`}
  </article>`;
}

export function TurnView({ turn, page, isLast, edit }) {
  const isOpen = turn.state === "streaming";
  return html`<article class=${`turn ${turn.state}`} data-state=${turn.state} data-turn=${turn.id} aria-label="Turn"
    aria-busy=${isLive(turn) ? "true" : "false"}>
    <${Said} text=${turn.input} />
    ${turn.text && html`<${Answer} text=${turn.text} isOpen=${isOpen} />`}
    <${Standing} turn=${turn} />
    <div class="actions">${actionsFor(turn, { page, isLast, edit })}</div>
  </article>`;
}

function Said({ text }) {
  return html`<div class="said"><h2 class="away">You</h2><p>${text}</p></div>`;
}

function Answer({ text, isOpen = false }) {
  return html`<div class="answer"><h2 class="away">Answer</h2><${Markdown} text=${text} isOpen=${isOpen} /></div>`;
}

// The state in words; once a second again while there is a time in it.
class Standing extends Component {
  #timer = null;

  componentDidMount() {
    this.#timer = setInterval(() => (isLive(this.props.turn) ? this.forceUpdate() : undefined), 1000);
  }

  componentWillUnmount() {
    clearInterval(this.#timer);
  }

  render({ turn }) {
    const words = stateInWords(turn);
    const details = turn.state === "done" ? detailsInWords(turn) : "";
    if (!words && !details) return null;
    return html`<p class="standing">
      ${isLive(turn) && html`<span class="pulse" aria-hidden="true"></span>`}
      ${words && html`<span class="words">${words}</span>`}
      ${details && html`<span class="details">${details}</span>`}
    </p>`;
  }
}

function actionsFor(turn, { page, isLast, edit }) {
  const { state } = turn;
  const button = (label, act) =>
    html`<button key=${label} type="button" class="quiet" onClick=${(event) => act(event)}>${label}</button>`;
  const copy = turn.text && !isLive(turn) && button("Copy answer", ({ target }) => copyAndSay(target, turn.text));
  const sayAgain = () => edit.now(page.send(turn.input));
  switch (state) {
    case "unsent":
      return [
        button("Send again", () => page.outbox.again(turn.key)),
        button("Edit", () => edit.text(page.outbox.takeBack(turn.key))),
      ];
    case "failed":
      return turn.isRetried ? [copy] : [button("Retry", () => page.retry(turn)), copy];
    case "done":
      return [copy, isLast && button("Ask again", sayAgain)];
    case "stopped":
    case "expired":
    case "interrupted":
      return [copy, isLast && button("Ask again", sayAgain)];
    case "queued":
      return [button("Withdraw", () => page.stop(turn))];
    default:
      return [];
  }
}
