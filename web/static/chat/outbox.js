// Messages that the service has not confirmed yet. They survive a reload and are sent again with the same idempotency key,
// so that the service accepts each one once even if a response is lost.
import { tabStorage } from "../shared/storage.js";
import * as api from "./api.js";
import { delay } from "./delay.js";

const MAX_ATTEMPTS = 5; // after that the user decides
const MAX_DELAY_SECONDS = 10;

export class Outbox {
  #onAccepted;
  #onChange;
  #isSending = false;

  constructor({ onAccepted, onChange }) {
    this.#onAccepted = onAccepted;
    this.#onChange = onChange;
    this.turns = tabStorage.get("outbox", []).map(resumeAfterReload);
  }

  add(turn) {
    this.turns = [...this.turns, turn];
    this.send();
  }

  resend(key) {
    this.#change(key, { state: "sending", problem: null });
    this.send();
  }

  // Remove the turn and return its message, for editing.
  takeMessage(key) {
    const turn = this.turns.find((other) => other.key === key);
    this.#remove(key);
    return turn?.input ?? "";
  }

  removeWhere(isOfSession) {
    this.turns = this.turns.filter((turn) => !isOfSession(turn.session));
    this.#notify();
  }

  // Send one message at a time, because messages must be accepted in the order in which they were written.
  async send() {
    this.#notify();
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
        const record = await (turn.retryOf ? api.retryTurn(turn.retryOf, key) : api.submitTurn(turn.body, key));
        this.#onAccepted(turn.session, record, key);
        return this.#remove(key);
      } catch (error) {
        if (!error.isRetryable) return this.#change(key, unsent(`Not sent: ${error.message}`));
        const seconds = Math.min(MAX_DELAY_SECONDS, error.retryAfterSeconds ?? 2 ** (attempt - 1));
        const isLast = attempt === MAX_ATTEMPTS;
        const next = isLast ? "" : ` Retrying in ${seconds} s…`;
        this.#change(key, unsent(`Not sent yet: ${error.message}${next}`, { willRetry: !isLast }));
        if (isLast) return undefined;
        await delay(seconds);
      }
    }
    return undefined;
  }

  #has(key) {
    return this.turns.some((turn) => turn.key === key);
  }

  #change(key, changes) {
    this.turns = this.turns.map((turn) => (turn.key === key ? { ...turn, ...changes } : turn));
    this.#notify();
  }

  #remove(key) {
    this.turns = this.turns.filter((turn) => turn.key !== key);
    this.#notify();
  }

  #notify() {
    tabStorage.set("outbox", this.turns.length ? this.turns : null);
    this.#onChange(this.turns);
  }
}

// `willRetry`: the message is sent again without an action of the user.
function unsent(problem, { willRetry = false } = {}) {
  return { state: "unsent", problem, willRetry };
}

// A reload ends the delay before the next attempt. Send the message at once, or a later message would overtake it.
function resumeAfterReload(turn) {
  return turn.willRetry ? { ...turn, state: "sending", problem: null } : turn;
}
