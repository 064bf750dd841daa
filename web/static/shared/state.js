// The state of a page in one object. Listeners are notified at most once per frame, however often it changes.
export class StateContainer {
  #state;
  #listeners = new Set();
  #isScheduled = false;

  constructor(state) {
    this.#state = state;
  }

  get state() {
    return this.#state;
  }

  update(changes) {
    this.#state = { ...this.#state, ...changes };
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    requestAnimationFrame(() => {
      this.#isScheduled = false;
      for (const listener of this.#listeners) listener(this.#state);
    });
  }

  subscribe(listener) {
    this.#listeners.add(listener);
  }
}
