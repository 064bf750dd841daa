// Titles of sessions: those of the service, and for a moment the first message of a chat that it does not know yet.
import * as api from "./api.js";
import { sessionKey } from "./route.js";

const MAX_LENGTH = 60;
const BLOCK_MARK = /^(?:#{1,6}|>|[-*+]|\d+[.)])\s+/;
const LINK = /!?\[([^\]]+)\]\([^)]*\)/g;
const EMPHASIS = /(?<![\w*`~])(\*\*|__|~~|`|\*)([^\s*`~](?:.*?[^\s*`~])?)\1(?![\w*`~])/g;

export class Titles {
  #firstLines = new Map();
  #onChange;

  constructor(onChange) {
    this.#onChange = onChange;
  }

  // `session` is that of the service, if it is known.
  get(session) {
    const title = session.title ? titleOf(session.title) : this.#firstLines.get(sessionKey(session));
    return title || (session.isNew ? "New chat" : session.session_id);
  }

  setFirstLine(session, text) {
    this.#firstLines.set(sessionKey(session), titleOf(text));
    this.#onChange();
  }

  // Another program's sessions have no title, so the first message of each is loaded once, one after the other.
  async loadFirstLines(sessions) {
    for (const session of sessions) {
      if (session.title || this.#firstLines.has(sessionKey(session))) continue;
      this.#firstLines.set(sessionKey(session), "");
      const text = await findFirstText(session).catch(() => null);
      if (text) this.setFirstLine(session, text);
    }
  }
}

async function findFirstText(session) {
  if (session.message_count) return (await api.listFirstMessage(session)).data[0]?.content;
  const head = session.running_turn ?? session.queued_turns[0];
  return (head ? await api.getTurn(head) : (await api.listNewestTurn(session)).data[0])?.input;
}

// Return the first line of a message without its Markdown, cut after a whole word.
export function titleOf(text) {
  const line = text.trim().split("\n")[0];
  const plain = line.replace(BLOCK_MARK, "").replace(LINK, "$1").replace(EMPHASIS, "$2").trim() || line;
  if (plain.length <= MAX_LENGTH) return plain;
  return `${plain.slice(0, MAX_LENGTH + 1).replace(/\s+\S*$/, "").slice(0, MAX_LENGTH)}…`;
}
