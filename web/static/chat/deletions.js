// Pending deletions of sessions. The request is sent when the time to undo is over, also after a reload.
import { browserStorage } from "../shared/storage.js";
import * as api from "./api.js";
import { isSameSession } from "./route.js";

const UNDO_SECONDS = 6;

export class Deletions {
  #timers = new Map();
  #onEnd;

  constructor(onEnd) {
    this.#onEnd = onEnd;
    this.pending = browserStorage.get("deletions", []);
    for (const deletion of this.pending) this.#schedule(deletion);
  }

  has(session) {
    return this.pending.some((deletion) => isSameSession(deletion.session, session));
  }

  add(session, { title, wasOpen }) {
    const deletion = { session, title, wasOpen, at: Date.now() + UNDO_SECONDS * 1000 };
    this.#setPending([...this.pending, deletion]);
    this.#schedule(deletion);
  }

  undo(session) {
    this.#remove(session);
    this.#onEnd(session, { isDeleted: false });
  }

  #schedule(deletion) {
    const timer = setTimeout(() => this.#delete(deletion), Math.max(0, deletion.at - Date.now()));
    this.#timers.set(deletion, timer);
  }

  async #delete(deletion) {
    const { session } = deletion;
    try {
      await api.deleteSession(session);
      this.#remove(session);
      this.#onEnd(session, { isDeleted: true });
    } catch {
      this.#schedule({ ...deletion, at: Date.now() + UNDO_SECONDS * 1000 }); // try again until it succeeds
    }
  }

  #remove(session) {
    for (const [deletion, timer] of this.#timers) {
      if (!isSameSession(deletion.session, session)) continue;
      clearTimeout(timer);
      this.#timers.delete(deletion);
    }
    this.#setPending(this.pending.filter((deletion) => !isSameSession(deletion.session, session)));
  }

  #setPending(pending) {
    this.pending = pending;
    browserStorage.set("deletions", pending.length ? pending : null);
  }
}
