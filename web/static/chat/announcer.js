// Announces to screen readers that an answer has started and how it ended, but not each piece of text.
import { Component, html } from "../shared/ui.js";
import { turnLabel } from "./labels.js";

export class Announcer extends Component {
  state = { text: "" };

  static getDerivedStateFromProps({ turn, session }, { previous }) {
    const current = { session: session.session_id, key: turn?.key, id: turn?.id, state: turn?.state };
    const hasChanged = previous?.session === current.session && isSameTurn(previous, current) && previous.state !== current.state;
    return hasChanged ? { previous: current, text: announcement(turn) } : { previous: current };
  }

  render(_, { text }) {
    return html`<p class="visually-hidden" role="status" id="announcer">${text}</p>`;
  }
}

// A new turn has a key before it has an id. A turn from a list has only an id.
function isSameTurn(one, other) {
  return Boolean((one.id && one.id === other.id) || (one.key && one.key === other.key));
}

function announcement(turn) {
  if (turn.state === "done") return `Answer: ${turn.text.slice(0, 300)}`;
  if (turn.state === "streaming") return "Answering";
  return turnLabel(turn).replace(/ · .*/, "");
}
