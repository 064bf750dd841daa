// What was said and is not confirmed yet. It is kept over a reload, and sent again with the same key, so that however
// often an answer gets lost, the service takes it once.
import * as api from "./api.js";
import { keptInTab } from "../shared/kept.js";
import { pause } from "./pause.js";

const MOST_ATTEMPTS = 5; // then a person decides
const LONGEST_PAUSE_SECONDS = 10;

export class Outbox {
  #accepted;
  #changed;
  #isSending = false;

  constructor({ accepted, changed }) {
    this.#accepted = accepted;
    this.#changed = changed;
    this.turns = keptInTab.read("outbox", []).map(comingAgain);
  }

  add(turn) {
    this.turns = [...this.turns, turn];
    this.send();
  }

  again(key) {
    this.#change(key, { state: "sending", problem: null });
    this.send();
  }

  // Returns what was said in it, for another attempt with other words.
  takeBack(key) {
    const turn = this.turns.find((other) => other.key === key);
    this.#drop(key);
    return turn?.input ?? "";
  }

  forget(isOf) {
    this.turns = this.turns.filter((turn) => !isOf(turn.session));
    this.#tell();
  }

  // One after the other: the order in which things were said is the order in which they are to be answered.
  async send() {
    this.#tell();
    if (this.#isSending) return;
    this.#isSending = true;
    for (let turn; (turn = this.turns.find(({ state }) => state === "sending")); ) await this.#deliver(turn);
    this.#isSending = false;
  }

  async #deliver(turn) {
    const { key } = turn;
    for (let attempt = 1; this.#has(key); attempt++) {
      this.#change(key, { state: "sending", problem: null });
      try {
        const record = await (turn.retryOf ? api.retry(turn.retryOf, key) : api.submit(turn.body, key));
        this.#accepted(turn.session, record, key);
        return this.#drop(key);
      } catch (error) {
        if (!error.passes) return this.#change(key, unsent(`Not sent: ${error.message}`));
        const seconds = Math.min(LONGEST_PAUSE_SECONDS, error.retryAfterSeconds ?? 2 ** (attempt - 1));
        const isLast = attempt === MOST_ATTEMPTS;
        const next = isLast ? "" : ` Trying again in ${seconds} s…`;
        this.#change(key, unsent(`Not sent yet: ${error.message}${next}`, { isToCome: !isLast }));
        if (isLast) return undefined;
        await pause(seconds);
      }
    }
    return undefined;
  }

  #has(key) {
    return this.turns.some((turn) => turn.key === key);
  }

  #change(key, changes) {
    this.turns = this.turns.map((turn) => (turn.key === key ? { ...turn, ...changes } : turn));
    this.#tell();
  }

  #drop(key) {
    this.turns = this.turns.filter((turn) => turn.key !== key);
    this.#tell();
  }

  #tell() {
    keptInTab.write("outbox", this.turns.length ? this.turns : null);
    this.#changed(this.turns);
  }
}

// `isToCome`: it is tried again without anybody's doing.
function unsent(problem, { isToCome = false } = {}) {
  return { state: "unsent", problem, isToCome };
}

// The pause before the next attempt ended with the page; what was said later must not come first.
function comingAgain(turn) {
  return turn.isToCome ? { ...turn, state: "sending", problem: null } : turn;
}
