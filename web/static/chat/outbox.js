// Messages that the service has not confirmed yet. They survive a reload and are sent again with the same idempotency key,
// so that the service accepts each one once even if a response is lost.
import { tabStorage } from "../shared/storage.js";
import * as api from "./api.js";
import { delay } from "./delay.js";

const MAX_FAILURES = 5; // after that the user decides
const MAX_DELAY_SECONDS = 10;
const MAX_WAIT_SECONDS = 120; // a rate limit that lasts longer, such as that of a day, is reported instead

export class Outbox {
  #onAccepted;
  #onChange;
  #isSending = false;
  #pause = new AbortController(); // ends the pause before the message is sent again

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
    this.#change(key, SENDING);
    this.#pause.abort();
    this.send();
  }

  // Remove the turn and return its message, for editing.
  takeMessage(key) {
    const turn = this.turns.find((other) => other.key === key);
    this.#remove(key);
    this.#pause.abort();
    return turn?.input ?? "";
  }

  removeWhere(isOfSession) {
    this.turns = this.turns.filter((turn) => !isOfSession(turn.session));
    this.#pause.abort(); // otherwise the next message waits for the pause of one that is gone
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
    for (let failures = 0; this.#has(key); ) {
      this.#change(key, SENDING);
      try {
        const record = await submit(turn);
        this.#onAccepted(turn.session, record, key);
        return this.#remove(key);
      } catch (error) {
        if (!isRateLimit(error)) failures += 1;
        const next = afterError(error, failures);
        this.#change(key, next);
        if (!next.resendAtMs) return undefined;
        this.#pause = new AbortController();
        await delay((next.resendAtMs - Date.now()) / 1000, this.#pause.signal);
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

function submit({ key, body, retryOf, regenerates }) {
  if (regenerates) return api.regenerateTurn(regenerates, body, key);
  return retryOf ? api.retryTurn(retryOf, key) : api.submitTurn(body, key);
}

const SENDING = { state: "sending", problem: null, resendAtMs: null };

const isRateLimit = (error) => error.status === 429 && error.retryAfterSeconds <= MAX_WAIT_SECONDS;

// Return the changes of a turn that was not accepted. With `resendAtMs` it is sent again without an action of the user.
function afterError(error, failures) {
  const resendIn = (seconds) => Date.now() + seconds * 1000;
  if (isRateLimit(error)) return { state: "waiting", problem: null, resendAtMs: resendIn(error.retryAfterSeconds ?? 1) };
  if (!error.isRetryable || error.status === 429) return { state: "unsent", problem: `Not sent: ${error.message}`, resendAtMs: null };
  const seconds = Math.min(MAX_DELAY_SECONDS, error.retryAfterSeconds ?? 2 ** (failures - 1));
  const resendAtMs = failures < MAX_FAILURES ? resendIn(seconds) : null;
  return { state: "unsent", problem: `Not sent yet: ${error.message}`, resendAtMs };
}

// A reload ends the pause before the next attempt. Send the message at once, or a later message would overtake it.
function resumeAfterReload(turn) {
  return turn.resendAtMs ? { ...turn, ...SENDING } : turn;
}
