// What sessions are called in this browser: the name that somebody gave it here, or the first line said in it.
import * as api from "./api.js";
import { kept } from "../shared/kept.js";
import { keyOf } from "./place.js";

const LONGEST = 60;

export class Titles {
  #given = kept.read("titles", {});
  #firstLines = kept.read("first-lines", {});
  #asked = new Set();
  #changed;

  constructor(changed) {
    this.#changed = changed;
  }

  of(session) {
    const key = keyOf(session);
    return this.#given[key] || this.#firstLines[key] || (session.isNew ? "New session" : session.session_id);
  }

  rename(session, title) {
    this.#given = { ...this.#given, [keyOf(session)]: title.trim() };
    this.#keep();
  }

  said(session, text) {
    const key = keyOf(session);
    if (this.#firstLines[key]) return;
    this.#firstLines = { ...this.#firstLines, [key]: text.trim().split("\n")[0].slice(0, LONGEST) };
    this.#keep();
  }

  forget(session) {
    const key = keyOf(session);
    delete this.#given[key];
    delete this.#firstLines[key];
    this.#keep();
  }

  // The list of sessions does not say what was said in them; each is asked once, one after the other.
  async learn(sessions) {
    for (const session of sessions) {
      const key = keyOf(session);
      if (this.#firstLines[key] || this.#asked.has(key)) continue;
      this.#asked.add(key);
      const asking = session.message_count ? api.firstMessage(session) : api.newestTurn(session);
      const [first] = (await asking.catch(() => ({ data: [] }))).data;
      if (first) this.said(session, first.content ?? first.input);
    }
  }

  #keep() {
    kept.write("titles", this.#given);
    kept.write("first-lines", this.#firstLines);
    this.#changed();
  }
}
