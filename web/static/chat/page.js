// What somebody can do on the page, and what follows from it. Draws nothing itself: it says what is to be shown.
import * as api from "./api.js";
import { Conversation } from "./conversation.js";
import { kept, keptInTab } from "../shared/kept.js";
import { Outbox } from "./outbox.js";
import { isSame, keyOf, newSession, sessionInAddress, showInAddress } from "./place.js";
import { randomId } from "./random.js";
import { Sessions } from "./sessions.js";
import { State } from "../shared/state.js";
import { isAnswering, unconfirmed } from "./turn.js";

const LOOK_SECONDS = 5; // for what other devices do
const PROBLEM_SECONDS = 8; // long enough to be read
const otherTabs = new BroadcastChannel("inturn"); // those of this browser tell each other at once

export class Page extends State {
  constructor() {
    super({ assistants: [], isHelpOpen: false, isListOpen: false, isOnline: navigator.onLine });
    const changed = () => this.set({});
    this.sessions = new Sessions({ changed, erased: (session) => this.#erased(session) });
    this.outbox = new Outbox({ changed, accepted: (...all) => this.#accepted(...all) });
    this.#show(sessionInAddress());
  }

  start() {
    addEventListener("popstate", () => this.#show(sessionInAddress()));
    addEventListener("online", () => this.set({ isOnline: true }));
    addEventListener("offline", () => this.set({ isOnline: false }));
    document.addEventListener("visibilitychange", () => this.#seen());
    otherTabs.addEventListener("message", ({ data }) => this.#look(data));
    setInterval(() => document.hidden || this.#look(), LOOK_SECONDS * 1000);
    this.sessions.load();
    this.outbox.send();
    this.#loadAssistants();
  }

  get assistant() {
    const { assistants, assistantName } = this.now;
    return assistants.find(({ name }) => name === assistantName) ?? assistants[0];
  }

  get variables() {
    const values = this.now.values ?? kept.read(`variables.${this.assistant?.name}`, {});
    const declared = Object.entries(this.assistant?.variables ?? {});
    return declared.map(([name, { required, default: otherwise }]) => ({
      ...{ name, isRequired: required, value: values[name] ?? otherwise ?? "" },
    }));
  }

  // The turn that Stop would stop.
  get answering() {
    const { live } = this.conversation;
    return live.find(isAnswering) ?? live[0];
  }

  open(session) {
    showInAddress(session);
    this.#show(session);
  }

  openNew() {
    this.open(newSession());
  }

  // Returns the name of a variable that is missing; then nothing is sent, and the caller keeps the text.
  send(input) {
    const missing = this.variables.find(({ isRequired, value }) => isRequired && !value.trim());
    if (missing) return missing.name;
    this.draft = "";
    const { session_id, user_id } = this.conversation.session;
    const variables = Object.fromEntries(this.variables.map(({ name, value }) => [name, value.trim()]));
    const body = { session_id, input, variables, assistant: this.assistant?.name, ...(user_id && { user_id }) };
    this.#say({ input, body });
    return null;
  }

  stop(turn) {
    return this.#tryTo("Not stopped", async () => this.conversation.take(await api.cancel(turn.id)));
  }

  retry(turn) {
    this.#say({ input: turn.input, retryOf: turn.id });
  }

  loadEarlier() {
    return this.#tryTo("Earlier messages cannot be shown", () => this.conversation.loadEarlier());
  }

  loadMoreSessions() {
    return this.#tryTo("More sessions cannot be shown", () => this.sessions.loadMore());
  }

  setVariable(name, value) {
    const values = { ...Object.fromEntries(this.variables.map((known) => [known.name, known.value])), [name]: value };
    kept.write(`variables.${this.assistant.name}`, values);
    this.set({ values });
  }

  chooseAssistant(name) {
    kept.write("assistant", name);
    this.set({ assistantName: name, values: null });
  }

  get draft() {
    return keptInTab.read(`draft.${this.#draftKey}`, "");
  }

  set draft(text) {
    keptInTab.write(`draft.${this.#draftKey}`, text || null);
  }

  delete(session) {
    const wasOpen = isSame(session, this.conversation.session);
    this.sessions.delete(session, { wasOpen });
    if (wasOpen) this.openNew();
  }

  undoDeletion({ session, wasOpen }) {
    this.sessions.deletions.undo(session);
    if (wasOpen) this.open(session);
  }

  get #draftKey() {
    const { session } = this.conversation;
    return session.isNew ? "new" : keyOf(session);
  }

  #say(what) {
    const session = { ...this.conversation.session, isNew: false };
    if (this.conversation.session.isNew) {
      this.conversation.session = session;
      showInAddress(session);
    }
    this.sessions.titles.said(session, what.input);
    this.outbox.add({ ...unconfirmed({ ...what, key: randomId("page-") }), session });
  }

  #accepted(session, record, key) {
    if (isSame(session, this.conversation.session)) this.conversation.take(record, key);
    otherTabs.postMessage({ session });
    this.sessions.load();
  }

  #erased(session) {
    this.outbox.forget((of) => isSame(of, session));
    if (isSame(session, this.conversation.session)) this.openNew();
    otherTabs.postMessage({ session });
  }

  #show(session) {
    this.conversation?.close();
    this.conversation = new Conversation(session, {
      changed: () => this.set({}),
      ended: () => this.sessions.load(),
    });
    if (!session.isNew) this.conversation.load();
    this.conversation.show(!document.hidden);
    this.set({ isListOpen: false });
  }

  #seen() {
    this.conversation.show(!document.hidden);
    if (!document.hidden) this.#look({ session: this.conversation.session });
  }

  // What others have done since: another tab says in which session, else the list shows it.
  async #look({ session } = {}) {
    if (document.hidden) return;
    const { conversation } = this;
    const before = JSON.stringify(this.sessions.find(conversation.session));
    await this.sessions.load();
    const isChanged = JSON.stringify(this.sessions.find(conversation.session)) !== before;
    const isMeant = session && isSame(session, conversation.session);
    if (isChanged || isMeant || conversation.problem) await conversation.load();
  }

  async #loadAssistants() {
    try {
      const { data } = await api.assistants();
      this.set({ assistants: data, assistantName: kept.read("assistant", null) });
    } catch {
      setTimeout(() => this.#loadAssistants(), LOOK_SECONDS * 1000);
    }
  }

  async #tryTo(otherwise, act) {
    try {
      await act();
      this.set({ problem: null });
    } catch (error) {
      this.set({ problem: `${otherwise}: ${error.message}` });
      setTimeout(() => this.set({ problem: null }), PROBLEM_SECONDS * 1000);
    }
  }
}
