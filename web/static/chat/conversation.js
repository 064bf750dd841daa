// The open session: its turns and messages, and the one connection over which all its events come.
import * as api from "./api.js";
import { follow } from "./follow.js";
import { partsOf } from "./output.js";
import { applyEvent, EMPTY_TURN, fromRecord, isLive } from "./turn.js";

const EMPTY_PAGE = { data: [], after: null };

// One object per session. It is closed when another session is opened; responses that arrive later have no effect.
export class Conversation {
  #following = null; // stops the connection
  #cursor = { id: null }; // the last event received; a new connection continues after it
  #loading = null;
  #loadingAgain = null;
  #isVisible = false;
  #isClosed = false;
  #next = { turns: null, messages: null }; // cursors of the next page
  #onChange;
  #onListChange;
  #keyOf;

  // `keyOf` returns the key of a message of this page that the service may have accepted as this record.
  constructor(session, { onChange, onListChange, keyOf }) {
    this.session = session;
    this.#onChange = onChange;
    this.#onListChange = onListChange;
    this.#keyOf = keyOf;
    this.turns = new Map();
    this.messages = new Map();
    this.unanswered = []; // questions without an answer, also those whose turns have no record any more
    this.connection = "idle";
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

  get hasEarlierMessages() {
    return Boolean(this.#next.messages);
  }

  get hasEarlier() {
    return Boolean(this.#next.turns || this.#next.messages);
  }

  // Whether all changes of the session arrive by themselves.
  get isStreaming() {
    return this.connection === "open";
  }

  // Load the newest page. An error is kept for display instead of thrown; the next refresh loads again. Calls during
  // another one load once more after it, because its response may be older than their reason.
  load() {
    if (!this.#loading) return (this.#loading = this.#load().finally(() => (this.#loading = null)));
    this.#loadingAgain ??= this.#loading.then(() => ((this.#loadingAgain = null), this.load()));
    return this.#loadingAgain;
  }

  async #load() {
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
    this.#follow();
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
    this.#follow();
    this.#notify();
  }

  // A hidden tab follows no session: browsers allow six HTTP/1.1 connections per host, and streams of hidden tabs would
  // block the requests of visible ones.
  setVisible(isVisible) {
    this.#isVisible = isVisible;
    if (isVisible) this.#follow();
    else this.#unfollow();
  }

  close() {
    this.#isClosed = true;
    this.#unfollow();
  }

  #clear() {
    this.turns.clear();
    this.messages.clear();
    this.unanswered = [];
    this.isLoaded = false;
  }

  async #loadMessages() {
    if (this.isLoaded) return EMPTY_PAGE;
    try {
      const messages = await api.listMessages(this.session);
      this.unanswered = (await api.listUnanswered(this.session)).data;
      return messages;
    } catch (error) {
      if (error.code === "session_not_found") return EMPTY_PAGE;
      throw error;
    }
  }

  // If more turns wait than fit on one page, the running turn is on a page that was not loaded.
  async #loadRunningTurn() {
    if (!this.#next.turns || !this.live.length) return;
    const { running_turn } = await api.getSession(this.session);
    if (running_turn && !this.turns.has(running_turn)) this.#merge([await api.getTurn(running_turn)], []);
  }

  #merge(records, messages, key = null) {
    for (const record of records) {
      const known = this.turns.get(record.id);
      const turn = fromRecord(record, known, key ?? known?.key);
      const isBehind = known && isLive(turn) && (this.#cursor.id || !isLive(known)); // the events are ahead
      this.turns.set(record.id, isBehind ? { ...known, key: turn.key } : turn);
    }
    for (const message of messages) this.messages.set(message.number, message);
  }

  // Connect, unless the session does not exist yet.
  #follow() {
    const isEmpty = !this.turns.size && !this.messages.size && !this.unanswered.length;
    if (!this.#isVisible || this.#isClosed || this.#following || isEmpty) return;
    this.#following = new AbortController();
    const { signal } = this.#following;
    const head = () => this.live[0]?.id;
    const onEvent = (event) => this.#applyEvent(event);
    const onConnection = (connection) => this.#setConnection(connection);
    follow(this.session, { cursor: this.#cursor, head, onEvent, onConnection, signal });
  }

  #unfollow() {
    this.#following?.abort();
    this.#following = null;
    this.connection = "idle";
  }

  #applyEvent({ type, data }) {
    switch (type) {
      case "snapshot":
        this.#applySnapshot(data);
        break;
      case "accepted":
        this.#merge([data.turn], [], this.#keyOf(data.turn));
        break;
      case "queue":
        for (const { turn_id, status, queue } of data.turns) this.#applyQueue(turn_id, status, queue);
        break;
      case "message.deleted":
        this.turns.delete(data.turn_id);
        this.messages.clear();
        this.isLoaded = false;
        this.load();
        break;
      case "updated":
        this.#onListChange();
        break;
      case "erased":
        this.#erase();
        break;
      default:
        this.#applyTurnEvent({ type, data });
    }
    this.#notify();
  }

  // Turns that ended before the snapshot are in the list, and those that end later have an event.
  #applySnapshot({ turns, text, parts }) {
    for (const [at, record] of turns.entries()) {
      const previous = { ...EMPTY_TURN, ...this.turns.get(record.id), text: at ? "" : text, answerParts: at ? [] : (partsOf({ parts }) ?? []) };
      this.turns.set(record.id, fromRecord(record, previous, previous.key ?? this.#keyOf(record)));
    }
    this.load();
  }

  #applyTurnEvent(event) {
    const { turn_id } = event.data;
    const known = this.turns.get(turn_id);
    if (known && !isLive(known) && event.type !== "done") return; // the response to a cancellation was faster
    const turn = known ? applyEvent(known, event) : event.data.turn && fromRecord(event.data.turn);
    if (turn) this.turns.set(turn_id, turn);
    else this.turns.delete(turn_id);
    if (event.type !== "done") return;
    this.#onListChange();
    if (!this.isStreaming) this.load(); // the queue has moved up, and other tabs may have added turns
  }

  #applyQueue(id, status, queue) {
    const turn = this.turns.get(id);
    if (turn?.state === "queued" && status === "queued") this.turns.set(id, { ...turn, queue });
  }

  #erase() {
    this.#unfollow();
    this.#cursor = { id: null };
    this.#clear();
    this.isLoaded = true;
    this.#onListChange();
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
