// The state of the chat page and everything that changes it. Rendering is in the other modules.
import { ROOT } from "../shared/root.js";
import { StateContainer } from "../shared/state.js";
import { browserStorage, tabStorage } from "../shared/storage.js";
import * as api from "./api.js";
import { Attachments, textOf } from "./attachments.js";
import { Conversation } from "./conversation.js";
import { Outbox } from "./outbox.js";
import { setUser } from "./preferences.js";
import { randomId } from "../shared/random.js";
import { isSameSession, newSession, pushSession, sessionFromUrl, sessionKey } from "./route.js";
import { Sessions } from "./sessions.js";
import { isAnswering, unconfirmed } from "./turn.js";

const REFRESH_SECONDS = 5; // finds changes that other devices made
const ERROR_SECONDS = 8; // long enough to read the message
const otherTabs = new BroadcastChannel(`inturn${ROOT}`); // tabs of the same browser notify each other at once

export class Page extends StateContainer {
  #attachments; // of the next message, by session

  constructor() {
    super({ assistants: [], values: {}, dialog: null, editing: null, isListOpen: false, isOnline: navigator.onLine, error: null });
    const onChange = () => this.update({});
    this.sessions = new Sessions({ onChange, onDeleted: (session) => this.#onDeleted(session) });
    this.#attachments = new Map();
    this.outbox = new Outbox({ onChange, onAccepted: (...args) => this.#onAccepted(...args) });
    this.#show(sessionFromUrl());
  }

  start() {
    addEventListener("popstate", () => this.#show(sessionFromUrl()));
    addEventListener("online", () => this.update({ isOnline: true }));
    addEventListener("offline", () => this.update({ isOnline: false }));
    document.addEventListener("visibilitychange", () => this.#changeVisibility());
    otherTabs.addEventListener("message", ({ data }) => this.#refresh(data));
    setInterval(() => document.hidden || this.#refresh(), REFRESH_SECONDS * 1000);
    this.sessions.load();
    this.outbox.send();
    this.#loadAssistants();
  }

  // The assistant of the next message: the one chosen here, or that of the last turn, or the one chosen last.
  get assistant() {
    const { assistants } = this.state;
    const names = [this.conversation.chosenAssistant, this.conversation.lastAssistant, browserStorage.get("assistant", null)];
    const found = names.map((name) => assistants.find((assistant) => assistant.name === name)).find(Boolean);
    return found ?? assistants[0];
  }

  get variables() {
    const name = this.assistant?.name;
    const values = this.state.values[name] ?? browserStorage.get(`variables.${name}`, {});
    const declared = Object.entries(this.assistant?.variables ?? {});
    return declared.map(([name, { required, description, default: fallback }]) => ({
      ...{ name, description, isRequired: required, value: values[name] ?? fallback ?? "" },
    }));
  }

  // The turn that the Stop button cancels.
  get answering() {
    const { live } = this.conversation;
    return live.find(isAnswering) ?? live[0];
  }

  open(session) {
    pushSession(session);
    this.#show(session);
  }

  openNew() {
    this.open(newSession());
  }

  // Send the message and return null. If a required variable is empty, show that and return its name; nothing is sent.
  send(text, parts = this.attachments.parts) {
    const missing = this.variables.find(({ isRequired, value }) => isRequired && !value.trim());
    this.update({ missingVariable: missing?.name ?? null });
    if (missing) return missing.name;
    this.draft = "";
    const input = withParts(text, parts);
    const { session_id, user_id } = this.conversation.session;
    const variables = Object.fromEntries(this.variables.map(({ name, value }) => [name, value.trim()]));
    const { editing } = this.state;
    if (editing) {
      this.update({ editing: null });
      const body = { input: text, variables, assistant: this.assistant?.name }; // the images and files of the question stay
      this.#submit({ input: text, parts: editing.parts, regenerates: editing.id, body });
      return null;
    }
    const body = { session_id, input, variables, assistant: this.assistant?.name, ...(user_id && { user_id }) };
    this.#submit({ input: text, parts, body });
    this.attachments.clear();
    return null;
  }

  // Ask the question of a turn again, with its images and files.
  askAgain({ input, parts }) {
    return this.send(textOf(parts, input), (parts ?? []).filter(({ type }) => type !== "text"));
  }

  get acceptsFiles() {
    return this.assistant?.accepts?.some((kind) => kind === "image" || kind === "file") ?? false;
  }

  get attachments() {
    const key = this.#draftKey;
    if (!this.#attachments.has(key)) this.#attachments.set(key, new Attachments({ onChange: () => this.update({}) }));
    return this.#attachments.get(key);
  }

  attach(files) {
    this.attachments.add(files, this.conversation.session.user_id);
  }

  // Stop a turn. The text of a running one stays in the history.
  stop(turn) {
    const end = turn.text ? api.stopTurn : api.cancelTurn;
    return this.#attempt("Could not stop the turn", async () => this.conversation.addRecord(await end(turn.id)));
  }

  // Answer the last question again. The earlier answer stays until the new one is complete.
  regenerate(turn) {
    this.#submit({ input: turn.input, parts: turn.parts, regenerates: turn.id, body: {} });
  }

  // Let the next message take the place of this one; for an earlier one, in a new chat.
  startEditing(turn) {
    this.update({ editing: turn });
  }

  // Continue from this turn in a new chat.
  branch(turn) {
    return this.#attempt("Could not branch the chat", async () => this.#openRecord(await api.forkSession(this.conversation.session, turn)));
  }

  retry(turn) {
    this.#submit({ input: turn.input, parts: turn.parts, retryOf: turn.id });
  }

  rename(session, title) {
    return this.#attempt("Could not rename the chat", async () => {
      await this.sessions.rename(session, title);
      otherTabs.postMessage({ session });
    });
  }

  loadEarlier() {
    return this.#attempt("Could not load earlier messages", () => this.conversation.loadEarlier());
  }

  loadMoreSessions() {
    return this.#attempt("Could not load older chats", () => this.sessions.loadMore());
  }

  setVariable(name, value) {
    const values = { ...Object.fromEntries(this.variables.map((known) => [known.name, known.value])), [name]: value };
    browserStorage.set(`variables.${this.assistant.name}`, values);
    this.update({ values: { ...this.state.values, [this.assistant.name]: values } });
  }

  chooseAssistant(name) {
    browserStorage.set("assistant", name);
    this.conversation.chosenAssistant = name;
    this.update({ missingVariable: null });
  }

  chooseUser(userId) {
    setUser(userId);
    if (this.conversation.session.isNew) this.openNew();
    this.update({});
  }

  get draft() {
    return tabStorage.get(`draft.${this.#draftKey}`, "");
  }

  set draft(text) {
    tabStorage.set(`draft.${this.#draftKey}`, text || null);
  }

  delete(session) {
    const wasOpen = isSameSession(session, this.conversation.session);
    this.sessions.delete(session, { wasOpen });
    if (wasOpen) this.openNew();
  }

  undoDeletion({ session, wasOpen }) {
    this.sessions.deletions.undo(session);
    if (wasOpen) this.open(session);
  }

  get #draftKey() {
    const { session } = this.conversation;
    return session.isNew ? "new" : sessionKey(session);
  }

  #submit(message) {
    const session = { ...this.conversation.session, isNew: false };
    if (this.conversation.session.isNew) {
      this.conversation.session = session;
      pushSession(session);
      this.sessions.titles.setFirstLine(session, message.input || "Files");
    }
    this.outbox.add({ ...unconfirmed({ ...message, key: randomId("page-") }), session });
  }

  #onAccepted(session, record, key) {
    const isOpen = isSameSession(session, this.conversation.session);
    if (isOpen && !isSameSession(session, record)) this.#openRecord(record); // it was an earlier turn, so this one is in a fork
    else if (isOpen) this.conversation.addRecord(record, key);
    otherTabs.postMessage({ session });
    this.sessions.load();
  }

  #openRecord({ session_id, user_id }) {
    this.open({ session_id, user_id });
    this.sessions.load();
  }

  #onDeleted(session) {
    this.outbox.removeWhere((other) => isSameSession(other, session));
    if (isSameSession(session, this.conversation.session)) this.openNew();
    otherTabs.postMessage({ session });
  }

  #show(session) {
    this.conversation?.close();
    this.conversation = new Conversation(session, {
      onChange: () => this.update({}),
      onListChange: () => this.sessions.load(),
      keyOf: (record) => this.#keyOf(session, record),
    });
    if (!session.isNew) this.conversation.load();
    this.conversation.setVisible(!document.hidden);
    this.update({ isListOpen: false, editing: null });
  }

  // Return the key of the message that is being sent, if the service can have accepted it as this turn.
  #keyOf(session, { input }) {
    const isSent = (turn) => turn.state === "sending" && turn.input === input && isSameSession(turn.session, session);
    return this.outbox.turns.find(isSent)?.key ?? null;
  }

  #changeVisibility() {
    this.conversation.setVisible(!document.hidden);
    if (!document.hidden) this.#refresh({ session: this.conversation.session });
  }

  // Reload the list of sessions, and the open session if it has changed. Another tab names the session that it changed.
  async #refresh({ session } = {}) {
    if (document.hidden) return;
    const { conversation } = this;
    const before = JSON.stringify(this.sessions.find(conversation.session));
    await this.sessions.load();
    const hasChanged = JSON.stringify(this.sessions.find(conversation.session)) !== before;
    const isNamed = session && isSameSession(session, conversation.session);
    const isBehind = (hasChanged || isNamed) && !conversation.isStreaming;
    if (isBehind || conversation.error) await conversation.load();
  }

  async #loadAssistants() {
    try {
      const { data } = await api.listAssistants();
      this.update({ assistants: data });
    } catch {
      setTimeout(() => this.#loadAssistants(), REFRESH_SECONDS * 1000);
    }
  }

  async #attempt(failure, action) {
    try {
      await action();
      this.update({ error: null });
    } catch (error) {
      this.update({ error: `${failure}: ${error.message}` });
      setTimeout(() => this.update({ error: null }), ERROR_SECONDS * 1000);
    }
  }
}

// Return the input for the API: the text, or a list of parts if there are files.
function withParts(text, files) {
  if (!files.length) return text;
  const references = files.map(({ type, file_id, url }) => ({ type, ...(file_id ? { file_id } : { url }) }));
  return [...(text.trim() ? [{ type: "text", text }] : []), ...references];
}
