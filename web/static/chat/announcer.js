// Says in one quiet place what a screen reader should hear: that an answer begins, and how it ended. Never each piece.
import { Component, html } from "../shared/ui.js";
import { stateInWords } from "./words.js";

export class Announcer extends Component {
  state = { words: "" };

  static getDerivedStateFromProps({ turn, session }, { was }) {
    const now = { session: session.session_id, key: turn?.key, id: turn?.id, state: turn?.state };
    const isNews = was?.session === now.session && isSameTurn(was, now) && was.state !== now.state;
    return isNews ? { was: now, words: announce(turn) } : { was: now };
  }

  render(_, { words }) {
    return html`<p class="away" role="status" id="announcer">${words}</p>`;
  }
}

// A turn has a key before it has an id, and one that a list brought has an id alone.
function isSameTurn(one, other) {
  return Boolean((one.id && one.id === other.id) || (one.key && one.key === other.key));
}

function announce(turn) {
  if (turn.state === "done") return `Answer: ${turn.text.slice(0, 300)}`;
  if (turn.state === "streaming") return "Answering";
  return stateInWords(turn).replace(/ · .*/, "");
}
