// The list of sessions, as the service and this browser know it.
import * as api from "./api.js";
import { Deletions } from "./deletions.js";
import { isSame, keyOf } from "./place.js";
import { Titles } from "./titles.js";

export class Sessions {
  #all = new Map();
  #after = null;
  #isLoaded = false;
  #changed;

  constructor({ changed, erased }) {
    this.#changed = changed;
    this.titles = new Titles(changed);
    this.deletions = new Deletions((session, { isErased }) => {
      if (isErased) {
        this.#all.delete(keyOf(session));
        this.titles.forget(session);
        erased(session);
      }
      changed();
    });
    this.problem = null;
  }

  // The last active first; those that are about to be deleted are not shown.
  get shown() {
    return [...this.#all.values()]
      .filter((session) => !this.deletions.has(session))
      .sort((one, other) => (other.last_active_at ?? "").localeCompare(one.last_active_at ?? ""));
  }

  get hasMore() {
    return this.#after !== null;
  }

  find(session) {
    return this.#all.get(keyOf(session));
  }

  // The first page again, and with it what has changed.
  async load() {
    try {
      const page = await api.sessions();
      if (!this.#isLoaded) this.#after = page.after;
      if (!page.has_more) this.#all.clear(); // that is all there are: others were deleted elsewhere
      this.#take(page.data);
      this.#isLoaded = true;
      this.problem = null;
    } catch (error) {
      this.problem = error.message;
    }
    this.#changed();
  }

  async loadMore() {
    const page = await api.sessions(this.#after);
    this.#after = page.after;
    this.#take(page.data);
    this.#changed();
  }

  delete(session) {
    this.deletions.add(session, this.titles.of(session));
    this.#changed();
  }

  // The session above or below this one in the list.
  beside(session, step) {
    const shown = this.shown;
    return shown[shown.findIndex((other) => isSame(other, session)) + step];
  }

  #take(sessions) {
    for (const session of sessions) this.#all.set(keyOf(session), session);
    this.titles.learn(sessions);
  }
}
