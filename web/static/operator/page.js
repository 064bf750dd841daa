// The state of the operator page and everything that changes it. Rendering is in the other modules.
import { unauthenticatedPrompt } from "../shared/api_key.js";
import { ApiError, NetworkError } from "../shared/http.js";
import { StateContainer } from "../shared/state.js";
import { browserStorage } from "../shared/storage.js";
import * as api from "./api.js";
import { minutesOf, urlOf } from "./route.js";
import { filtersOf, parseRoute, VIEWS } from "./views.js";

export const REFRESH_SECONDS = [2, 5, 15, 0]; // 0: only when the operator presses Refresh

export class Page extends StateContainer {
  #timer = null;
  #lastRefresh = 0;

  constructor() {
    super({
      ...{ route: parseRoute(location.search), loaded: null, stats: null, updatedAt: null, error: null, keyPrompt: null },
      ...{ pendingAction: null, isActing: false, dialogError: null, notice: null, text: null },
      refreshSeconds: browserStorage.get("operator.every", REFRESH_SECONDS[0]),
    });
  }

  start() {
    addEventListener("popstate", () => this.#show(parseRoute(location.search)));
    document.addEventListener("visibilitychange", () => this.#changeVisibility());
    this.refresh();
  }

  // False for a key with the scope observer, which may not change anything.
  get canAct() {
    return this.state.stats?.may_act ?? false;
  }

  // Keys are managed by administrators, and everything else by operators.
  mayRun(action) {
    return action.isForAdmin ? (this.state.stats?.may_manage_keys ?? false) : this.canAct;
  }

  open(route) {
    history.pushState(null, "", urlOf(route));
    this.#show(parseRoute(location.search));
  }

  setRefreshSeconds(seconds) {
    browserStorage.set("operator.every", seconds);
    this.update({ refreshSeconds: seconds });
    this.refresh();
  }

  // Load the statistics and the data of the view, then schedule the next refresh. Hidden tabs do not refresh.
  async refresh() {
    clearTimeout(this.#timer);
    const refresh = ++this.#lastRefresh;
    const { route } = this.state;
    const [stats, data] = await Promise.allSettled([api.getStats(minutesOf(route)), VIEWS[route.view].load(filtersOf(route))]);
    if (refresh !== this.#lastRefresh) return; // a newer refresh has started; its result must not be overwritten
    this.#applyResults(route, stats, data);
    const { refreshSeconds } = this.state;
    if (refreshSeconds && !document.hidden) this.#timer = setTimeout(() => this.refresh(), refreshSeconds * 1000);
  }

  // Run the action, after confirmation if it has a title, and after its preparation if it has one.
  async act(action) {
    if (action.prepare) await this.#prepare(action);
    else if (action.title) this.update({ pendingAction: action, dialogError: null });
    else await this.#run(action, {});
  }

  // Run the pending action with the values of its form, or forget it if they are null. A form with a wrong value stays.
  async finishDialog(values) {
    const { pendingAction } = this.state;
    const isDone = values === null || (await this.#run(pendingAction, values));
    if (isDone) this.update({ pendingAction: null });
  }

  // Message text is private: it is loaded only on request, and the service writes the request to the audit log.
  async showText(id) {
    try {
      this.update({ text: await api.getText(id) });
    } catch (error) {
      this.update({ notice: { isError: true, message: error.message } });
    }
  }

  async #prepare(action) {
    if (this.state.isActing) return;
    this.update({ isActing: true, notice: null });
    const ready = await action.prepare().catch((error) => ({ notice: { isError: true, message: actionError(error) } }));
    this.update({ isActing: false });
    if (ready.notice) this.update(ready);
    else await this.act(ready);
  }

  // Return false if the form of the action has to be corrected.
  async #run(action, values) {
    if (this.state.isActing) return false;
    this.update({ isActing: true, notice: null, dialogError: null });
    let mustCorrect = false;
    try {
      const result = await action.run(values);
      if (result.open) this.open(result.open);
      this.update({ notice: typeof result === "string" ? { message: result } : result });
    } catch (error) {
      mustCorrect = Boolean(action.fields && this.state.pendingAction) && error instanceof ApiError;
      this.update(mustCorrect ? { dialogError: error.message } : { notice: { isError: true, message: actionError(error) } });
    }
    this.update({ isActing: false });
    await this.refresh();
    return !mustCorrect;
  }

  #show(route) {
    this.update({ route, notice: null, text: null });
    this.refresh();
  }

  #changeVisibility() {
    if (document.hidden) clearTimeout(this.#timer);
    else this.refresh();
  }

  #applyResults(route, stats, data) {
    const keyPrompt = keyPromptFor(stats.reason);
    this.update({ keyPrompt, error: keyPrompt ? null : (stats.reason?.message ?? null) });
    if (stats.reason) return; // keep showing the last data, marked as stale
    this.update({ stats: stats.value, updatedAt: new Date().toISOString() });
    this.update({ loaded: { route, data: data.value, error: data.reason?.message } });
  }
}

// Without a response it is unknown whether the action took effect, so the message must not claim that it did not.
function actionError(error) {
  if (error instanceof NetworkError) return "No response yet. The action may still be running; check before you repeat it.";
  return `Not done: ${error.message}`;
}

function keyPromptFor(error) {
  if (error?.code === "unauthenticated") return unauthenticatedPrompt("an operator key");
  if (error?.code === "forbidden") return "This key cannot open this page. Enter one with the scope operator, observer or admin.";
  return null;
}
