// The open session: its turns and messages, and the one live turn that is followed.
import * as api from "./api.js";
import { follow } from "./follow.js";
import { advance, fromRecord, isLive } from "./turn.js";

// Each is a session's; when another one is opened, it is closed, and what still comes for it changes nothing.
export class Conversation {
  #followed = null; // the id of the turn, and how to leave it
  #seen = new Map(); // by turn, the last event that came; a stream goes on behind it
  #isVisible = false;
  #isClosed = false;
  #more = { turns: null, messages: null };
  #changed;
  #ended;

  constructor(session, { changed, ended }) {
    this.session = session;
    this.#changed = changed;
    this.#ended = ended;
    this.turns = new Map();
    this.messages = new Map();
    this.connection = "open";
    this.isLoaded = Boolean(session.isNew);
    this.problem = null;
  }

  get live() {
    return [...this.turns.values()].filter(isLive).sort((one, other) => one.sequence - other.sequence);
  }

  get hasEarlier() {
    return Boolean(this.#more.turns || this.#more.messages);
  }

  // What the API knows now. Raises nothing: a problem is shown, and the next look asks again.
  async load() {
    try {
      const turns = await api.turns(this.session);
      if (!turns.data.length && this.turns.size) this.#forget(); // erased by somebody else, or no longer kept
      const messages = await this.#firstMessages();
      if (!this.isLoaded) this.#more = { turns: turns.after, messages: messages.after };
      this.#take(turns.data, messages.data);
      await this.#findTheHead();
      Object.assign(this, { isLoaded: true, problem: null });
    } catch (error) {
      this.problem = error.message;
    }
    this.#lookAtTheHead();
    this.#tell();
  }

  async loadEarlier() {
    const { turns, messages } = this.#more;
    const nothing = { data: [], after: null };
    const [more, older] = await Promise.all([
      turns ? api.turns(this.session, turns) : nothing,
      messages ? api.messages(this.session, messages) : nothing,
    ]);
    this.#more = { turns: more.after, messages: older.after };
    this.#take(more.data, older.data);
    this.#tell();
  }

  // A record that came with an answer of the API.
  take(record, key = null) {
    this.#take([record], [], key);
    this.#lookAtTheHead();
    this.#tell();
  }

  // A hidden tab follows nothing: six open streams of one browser would keep all its other tabs waiting.
  show(isVisible) {
    this.#isVisible = isVisible;
    this.#lookAtTheHead();
  }

  close() {
    this.#isClosed = true;
    this.#leave();
  }

  #forget() {
    this.turns.clear();
    this.messages.clear();
    this.isLoaded = false;
  }

  async #firstMessages() {
    if (this.isLoaded) return { data: [], after: null };
    return api.messages(this.session).catch((error) => {
      if (error.code === "session_not_found") return { data: [], after: null };
      throw error;
    });
  }

  // More turns may wait than one page holds; the one that runs is then on none that was read.
  async #findTheHead() {
    if (!this.#more.turns || !this.live.length) return;
    const { running_turn } = await api.session(this.session);
    if (running_turn && !this.turns.has(running_turn)) this.#take([await api.turn(running_turn)], []);
  }

  #take(records, messages, key = null) {
    for (const record of records) {
      const seen = this.turns.get(record.id);
      const told = fromRecord(record, seen, key);
      if (this.#followed?.id === record.id && isLive(told)) continue; // what is followed is newer than a list
      this.turns.set(record.id, told);
    }
    for (const message of messages) this.messages.set(message.number, message);
  }

  #lookAtTheHead() {
    const head = this.#isVisible && !this.#isClosed ? this.live[0] : undefined;
    if (head?.id === this.#followed?.id) return;
    this.#leave();
    if (head) this.#follow(head.id);
  }

  #leave() {
    this.#followed?.leaving.abort();
    this.#followed = null;
    this.connection = "open";
  }

  async #follow(id) {
    const leaving = new AbortController();
    this.#followed = { id, leaving };
    if (!this.#seen.has(id)) this.#seen.set(id, { id: null });
    const tell = (event) => this.#hear(id, event);
    const say = (connection) => this.#say(connection);
    await follow(id, { seen: this.#seen.get(id), tell, say, signal: leaving.signal });
    if (leaving.signal.aborted) return;
    this.#followed = null;
    this.connection = "open";
    this.#ended();
    await this.load(); // those behind it have moved up, and other tabs may have added some
  }

  #hear(id, event) {
    const turn = advance(this.turns.get(id), event);
    if (turn) this.turns.set(id, turn);
    else this.turns.delete(id);
    this.#tell();
  }

  #say(connection) {
    if (this.connection === connection) return;
    this.connection = connection;
    this.#tell();
  }

  #tell() {
    if (!this.#isClosed) this.#changed(this);
  }
}
