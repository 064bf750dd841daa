// Titles of sessions, kept in this browser: the name that the user gave, or the first line of the first message.
import { browserStorage } from "../shared/storage.js";
import * as api from "./api.js";
import { sessionKey } from "./route.js";

const MAX_LENGTH = 60;
const BLOCK_MARK = /^(?:#{1,6}|>|[-*+]|\d+[.)])\s+/;
const LINK = /!?\[([^\]]+)\]\([^)]*\)/g;
const EMPHASIS = /(?<![\w*`~])(\*\*|__|~~|`|\*)([^\s*`~](?:.*?[^\s*`~])?)\1(?![\w*`~])/g;

export class Titles {
  #names = browserStorage.get("titles", {});
  #firstLines = browserStorage.get("first-lines", {});
  #requested = new Set();
  #onChange;

  constructor(onChange) {
    this.#onChange = onChange;
  }

  get(session) {
    const key = sessionKey(session);
    return this.#names[key] || this.#firstLines[key] || (session.isNew ? "New chat" : session.session_id);
  }

  rename(session, title) {
    this.#names = { ...this.#names, [sessionKey(session)]: title.trim() };
    this.#save();
  }

  setFirstLine(session, text) {
    const key = sessionKey(session);
    if (this.#firstLines[key]) return;
    this.#firstLines = { ...this.#firstLines, [key]: titleOf(text) };
    this.#save();
  }

  remove(session) {
    const key = sessionKey(session);
    delete this.#names[key];
    delete this.#firstLines[key];
    this.#save();
  }

  // The list of sessions contains no text, so the first message of each session is loaded once, one after the other.
  async loadFirstLines(sessions) {
    for (const session of sessions) {
      const key = sessionKey(session);
      if (this.#firstLines[key] || this.#requested.has(key)) continue;
      this.#requested.add(key);
      const text = await findFirstText(session).catch(() => null);
      if (text) this.setFirstLine(session, text);
    }
  }

  #save() {
    browserStorage.set("titles", this.#names);
    browserStorage.set("first-lines", this.#firstLines);
    this.#onChange();
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
