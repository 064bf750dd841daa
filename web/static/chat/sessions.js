// The list of sessions: what the service returned, without the sessions that are about to be deleted.
import { isUnauthenticated } from "../shared/api_key.js";
import * as api from "./api.js";
import { Deletions } from "./deletions.js";
import { getUser } from "./preferences.js";
import { isSameSession, sessionKey } from "./route.js";
import { Titles } from "./titles.js";

export class Sessions {
  #all = new Map();
  #after = null;
  #isLoaded = false;
  #onChange;

  constructor({ onChange, onDeleted }) {
    this.#onChange = onChange;
    this.titles = new Titles(onChange);
    this.deletions = new Deletions((session, { isDeleted }) => {
      if (isDeleted) {
        this.#all.delete(sessionKey(session));
        onDeleted(session);
      }
      onChange();
    });
    this.error = null;
    this.isComplete = true; // false while a part of the store is away, with the chats that are in it
    this.needsKey = false;
    this.search = "";
  }

  // The visible sessions, the most recently active first: those of the user whose title contains the search text.
  get shown() {
    const user = getUser();
    return [...this.#all.values()]
      .filter((session) => !this.deletions.has(session) && (!user || session.user_id === user) && this.#matches(session))
      .sort((one, other) => (other.last_active_at ?? "").localeCompare(one.last_active_at ?? ""));
  }

  get hasMore() {
    return this.#after !== null;
  }

  find(session) {
    return this.#all.get(sessionKey(session));
  }

  titleOf(session) {
    return this.titles.get(this.find(session) ?? session);
  }

  // An empty title restores that of the first message.
  async rename(session, title) {
    this.#merge([await api.renameSession(session, title.trim() || null)]);
    this.#onChange();
  }

  setSearch(text) {
    this.search = text;
    this.#onChange();
  }

  // Load the first page, which contains the sessions that have changed.
  async load() {
    try {
      const page = await api.listSessions();
      const isComplete = !page.missing_partitions?.length;
      if (!this.#isLoaded || (isComplete && !this.isComplete)) this.#after = page.after;
      if (isComplete) this.#removeDeletedElsewhere(page);
      this.isComplete = isComplete;
      this.#merge(page.data);
      this.#isLoaded = true;
      this.error = null;
      this.needsKey = false;
    } catch (error) {
      this.error = error.message;
      this.needsKey = isUnauthenticated(error);
    }
    this.#onChange();
  }

  async loadMore() {
    const page = await api.listSessions(this.#after);
    this.#after = page.after;
    this.isComplete &&= !page.missing_partitions?.length;
    this.#merge(page.data);
    this.#onChange();
  }

  delete(session, { wasOpen }) {
    this.deletions.add(session, { title: this.titleOf(session), wasOpen });
    this.#onChange();
  }

  // Return the session `step` positions below this one in the list.
  neighbour(session, step) {
    const shown = this.shown;
    return shown[shown.findIndex((other) => isSameSession(other, session)) + step];
  }

  // Remove the sessions that the first page would contain if they still existed. `#merge` adds the others again.
  #removeDeletedElsewhere({ data, has_more }) {
    const oldest = has_more ? data.at(-1)?.last_active_at : "";
    for (const [key, session] of this.#all) if ((session.last_active_at ?? "") >= oldest) this.#all.delete(key);
  }

  #matches(session) {
    return this.titleOf(session).toLocaleLowerCase().includes(this.search.trim().toLocaleLowerCase());
  }

  #merge(sessions) {
    for (const session of sessions) this.#all.set(sessionKey(session), session);
    this.titles.loadFirstLines(sessions);
  }
}
