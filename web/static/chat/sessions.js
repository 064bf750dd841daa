// The list of sessions, as the service and this browser know it.
import * as api from "./api.js";
import { Deletions } from "./deletions.js";
import { isRefusedKey } from "../shared/key.js";
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
    this.asksForKey = false;
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
      this.#forgetAsRecentAs(page);
      this.#take(page.data);
      this.#isLoaded = true;
      this.problem = null;
      this.asksForKey = false;
    } catch (error) {
      this.problem = error.message;
      this.asksForKey = isRefusedKey(error);
    }
    this.#changed();
  }

  async loadMore() {
    const page = await api.sessions(this.#after);
    this.#after = page.after;
    this.#take(page.data);
    this.#changed();
  }

  delete(session, { wasOpen }) {
    this.deletions.add(session, { title: this.titles.of(session), wasOpen });
    this.#changed();
  }

  // The session above or below this one in the list.
  beside(session, step) {
    const shown = this.shown;
    return shown[shown.findIndex((other) => isSame(other, session)) + step];
  }

  // What would stand on this page, and does not, was deleted elsewhere.
  #forgetAsRecentAs({ data, has_more }) {
    const oldest = has_more ? data.at(-1).last_active_at : "";
    for (const [key, session] of this.#all) if ((session.last_active_at ?? "") >= oldest) this.#all.delete(key);
  }

  #take(sessions) {
    for (const session of sessions) this.#all.set(keyOf(session), session);
    this.titles.learn(sessions);
  }
}
