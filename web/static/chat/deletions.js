// Sessions that somebody wants deleted. The service is told only when the time to undo it is over, also after a reload.
import * as api from "./api.js";
import { kept } from "../shared/kept.js";
import { isSame } from "./place.js";

const UNDO_SECONDS = 6;

export class Deletions {
  #timers = new Map();
  #ended;

  constructor(ended) {
    this.#ended = ended;
    this.waiting = kept.read("deletions", []);
    for (const deletion of this.waiting) this.#schedule(deletion);
  }

  has(session) {
    return this.waiting.some((deletion) => isSame(deletion.session, session));
  }

  add(session, { title, wasOpen }) {
    const deletion = { session, title, wasOpen, at: Date.now() + UNDO_SECONDS * 1000 };
    this.#set([...this.waiting, deletion]);
    this.#schedule(deletion);
  }

  undo(session) {
    this.#drop(session);
    this.#ended(session, { isErased: false });
  }

  #schedule(deletion) {
    const timer = setTimeout(() => this.#erase(deletion), Math.max(0, deletion.at - Date.now()));
    this.#timers.set(deletion, timer);
  }

  async #erase(deletion) {
    const { session } = deletion;
    try {
      await api.erase(session);
      this.#drop(session);
      this.#ended(session, { isErased: true });
    } catch {
      this.#schedule({ ...deletion, at: Date.now() + UNDO_SECONDS * 1000 }); // it stays to be done
    }
  }

  #drop(session) {
    for (const [deletion, timer] of this.#timers) {
      if (!isSame(deletion.session, session)) continue;
      clearTimeout(timer);
      this.#timers.delete(deletion);
    }
    this.#set(this.waiting.filter((deletion) => !isSame(deletion.session, session)));
  }

  #set(waiting) {
    this.waiting = waiting;
    kept.write("deletions", waiting.length ? waiting : null);
  }
}
