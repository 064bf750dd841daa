// The open session: its turns and messages, and the one live turn whose events are followed.
import * as api from "./api.js";
import { follow } from "./follow.js";
import { applyEvent, fromRecord, isLive } from "./turn.js";

const EMPTY_PAGE = { data: [], after: null };

// One object per session. It is closed when another session is opened; responses that arrive later have no effect.
export class Conversation {
  #followed = null; // id of the followed turn, and how to stop
  #cursors = new Map(); // the last event received, by turn; a new stream continues after it
  #isVisible = false;
  #isClosed = false;
  #next = { turns: null, messages: null }; // cursors of the next page
  #onChange;
  #onTurnEnd;

  constructor(session, { onChange, onTurnEnd }) {
    this.session = session;
    this.#onChange = onChange;
    this.#onTurnEnd = onTurnEnd;
    this.turns = new Map();
    this.messages = new Map();
    this.connection = "open";
    this.isLoaded = Boolean(session.isNew);
    this.error = null;
    this.chosenAssistant = null;
  }

  get lastAssistant() {
    const newest = (one, other) => (one && one.sequence > other.sequence ? one : other);
    return [...this.turns.values()].reduce(newest, null)?.assistant;
  }

  get live() {
    return [...this.turns.values()].filter(isLive).sort((one, other) => one.sequence - other.sequence);
  }

  get hasEarlier() {
    return Boolean(this.#next.turns || this.#next.messages);
  }

  // Load the newest page. An error is kept for display instead of thrown; the next refresh loads again.
  async load() {
    try {
      const turns = await api.listTurns(this.session);
      if (!turns.data.length && this.turns.size) this.#clear(); // the session was deleted elsewhere, or its records expired
      const messages = await this.#loadMessages();
      if (!this.isLoaded) this.#next = { turns: turns.after, messages: messages.after };
      this.#merge(turns.data, messages.data);
      await this.#loadRunningTurn();
      Object.assign(this, { isLoaded: true, error: null });
    } catch (error) {
      this.error = error.message;
    }
    this.#followHead();
    this.#notify();
  }

  async loadEarlier() {
    const { turns, messages } = this.#next;
    const [moreTurns, moreMessages] = await Promise.all([
      turns ? api.listTurns(this.session, turns) : EMPTY_PAGE,
      messages ? api.listMessages(this.session, messages) : EMPTY_PAGE,
    ]);
    this.#next = { turns: moreTurns.after, messages: moreMessages.after };
    this.#merge(moreTurns.data, moreMessages.data);
    this.#notify();
  }

  // Add or update the turn of a record that the API returned.
  addRecord(record, key = null) {
    this.#merge([record], [], key);
    this.#followHead();
    this.#notify();
  }

  // A hidden tab follows no turn: browsers allow six HTTP/1.1 connections per host, and streams of hidden tabs would block
  // the requests of visible ones.
  setVisible(isVisible) {
    this.#isVisible = isVisible;
    this.#followHead();
  }

  close() {
    this.#isClosed = true;
    this.#unfollow();
  }

  #clear() {
    this.turns.clear();
    this.messages.clear();
    this.isLoaded = false;
  }

  async #loadMessages() {
    if (this.isLoaded) return EMPTY_PAGE;
    return api.listMessages(this.session).catch((error) => {
      if (error.code === "session_not_found") return EMPTY_PAGE;
      throw error;
    });
  }

  // If more turns wait than fit on one page, the running turn is on a page that was not loaded.
  async #loadRunningTurn() {
    if (!this.#next.turns || !this.live.length) return;
    const { running_turn } = await api.getSession(this.session);
    if (running_turn && !this.turns.has(running_turn)) this.#merge([await api.getTurn(running_turn)], []);
  }

  #merge(records, messages, key = null) {
    for (const record of records) {
      const turn = fromRecord(record, this.turns.get(record.id), key);
      if (this.#followed?.id === record.id && isLive(turn)) continue; // the stream is ahead of the list
      this.turns.set(record.id, turn);
    }
    for (const message of messages) this.messages.set(message.number, message);
  }

  #followHead() {
    const head = this.#isVisible && !this.#isClosed ? this.live[0] : undefined;
    if (head?.id === this.#followed?.id) return;
    this.#unfollow();
    if (head) this.#follow(head.id);
  }

  #unfollow() {
    this.#followed?.controller.abort();
    this.#followed = null;
    this.connection = "open";
  }

  async #follow(id) {
    const controller = new AbortController();
    const { signal } = controller;
    this.#followed = { id, controller };
    if (!this.#cursors.has(id)) this.#cursors.set(id, { id: null });
    const onEvent = (event) => this.#applyEvent(id, event);
    const onConnection = (connection) => this.#setConnection(connection);
    await follow(id, { cursor: this.#cursors.get(id), onEvent, onConnection, signal });
    if (signal.aborted) return;
    this.#followed = null;
    this.connection = "open";
    this.#onTurnEnd();
    await this.load(); // the queue has moved up, and other tabs may have added turns
  }

  #applyEvent(id, event) {
    const turn = applyEvent(this.turns.get(id), event);
    if (turn) this.turns.set(id, turn);
    else this.turns.delete(id);
    this.#notify();
  }

  #setConnection(connection) {
    if (this.connection === connection) return;
    this.connection = connection;
    this.#notify();
  }

  #notify() {
    if (!this.#isClosed) this.#onChange(this);
  }
}
