// What the page shows, in one object; whoever draws it is told once a frame, however often it changed.
export class State {
  #value;
  #listeners = new Set();
  #isAsked = false;

  constructor(value) {
    this.#value = value;
  }

  get now() {
    return this.#value;
  }

  set(changes) {
    this.#value = { ...this.#value, ...changes };
    if (this.#isAsked) return;
    this.#isAsked = true;
    requestAnimationFrame(() => {
      this.#isAsked = false;
      for (const listener of this.#listeners) listener(this.#value);
    });
  }

  listen(listener) {
    this.#listeners.add(listener);
  }
}
