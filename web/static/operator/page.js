// What the operator sees and does, and what follows from it. Draws nothing itself: it says what is to be shown.
import { kept } from "../shared/kept.js";
import { State } from "../shared/state.js";
import * as api from "./api.js";
import { addressOf, placeIn } from "./place.js";
import { LOADS } from "./views.js";

export const EVERY = [2, 5, 15, 0]; // seconds between two looks; 0: only when asked
const NO_KEY = {
  unauthenticated: "This page asks for an API key of the scope operator, or observer.",
  forbidden: "This API key is for something else: the page needs one of the scope operator, or observer.",
};

export class Page extends State {
  #timer = null;
  #looks = 0;

  constructor() {
    super({
      ...{ place: placeIn(location.search), shown: null, stats: null, seenAt: null, trouble: null, keyWords: null },
      ...{ asked: null, isActing: false, notice: null, every: kept.read("operator.every", EVERY[0]) },
    });
  }

  start() {
    addEventListener("popstate", () => this.#show(placeIn(location.search)));
    document.addEventListener("visibilitychange", () => this.#seen());
    this.look();
  }

  // With a key that only looks there is nothing to press.
  get mayAct() {
    return this.now.stats?.may_act ?? false;
  }

  open(place) {
    history.pushState(null, "", addressOf(place));
    this.#show(placeIn(location.search));
  }

  setEvery(seconds) {
    kept.write("operator.every", seconds);
    this.set({ every: seconds });
    this.look();
  }

  // Asks for the numbers and for what the view shows, and again after a while; a hidden tab asks for nothing.
  async look() {
    clearTimeout(this.#timer);
    const look = ++this.#looks;
    const { place } = this.now;
    const [stats, shown] = await Promise.allSettled([api.stats(place.minutes), LOADS[place.view](place)]);
    if (look !== this.#looks) return; // another one has begun meanwhile
    this.#take(place, stats, shown);
    const { every } = this.now;
    if (every && !document.hidden) this.#timer = setTimeout(() => this.look(), every * 1000);
  }

  // An action that asks first is done by `answer`.
  async act(action) {
    if (action.question) this.set({ asked: action });
    else await this.#run(action);
  }

  async answer(isYes) {
    const { asked } = this.now;
    if (isYes && asked) await this.#run(asked);
    this.set({ asked: null });
  }

  // What was said in a turn is shown only when somebody asks for it.
  async showText(id) {
    try {
      this.set({ text: await api.text(id) });
    } catch (error) {
      this.set({ notice: { trouble: error.message } });
    }
  }

  async #run(action) {
    if (this.now.isActing) return;
    this.set({ isActing: true, notice: null });
    try {
      const said = await action.run();
      this.set({ notice: typeof said === "string" ? { words: said } : said });
    } catch (error) {
      this.set({ notice: { trouble: `Not done: ${error.message}` } });
    }
    this.set({ isActing: false });
    await this.look();
  }

  #show(place) {
    this.set({ place, notice: null, text: null });
    this.look();
  }

  #seen() {
    if (document.hidden) clearTimeout(this.#timer);
    else this.look();
  }

  #take(place, stats, shown) {
    const keyWords = NO_KEY[stats.reason?.code] ?? null;
    this.set({ keyWords, trouble: keyWords ? null : (stats.reason?.message ?? null) });
    if (stats.reason) return; // what was shown stays
    this.set({ stats: stats.value, seenAt: new Date().toISOString() });
    this.set({ shown: { place, data: shown.value, missing: shown.reason?.message } });
  }
}
