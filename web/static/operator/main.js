// Entry point of the operator page: renders the views from the state of the page.
import { Component, createRef, html, render } from "../shared/ui.js";
import { ConfirmDialog } from "./confirm_dialog.js";
import { FailedView } from "./failed_view.js";
import { findFindings } from "./findings.js";
import { Header } from "./header.js";
import { LiveView } from "./live_view.js";
import { Banners, Notice, StaleNotice } from "./notices.js";
import { OverviewView } from "./overview_view.js";
import { Page } from "./page.js";
import { PATH, parseRoute, urlOf } from "./route.js";
import { SessionView } from "./session_view.js";
import { Summary, Tiles } from "./summary.js";
import { TurnView } from "./turn_view.js";
import { WorkersView } from "./workers_view.js";

const VIEWS = {
  overview: { View: OverviewView, title: () => "Overview" },
  live: { View: LiveView, title: () => "Live turns" },
  turn: { View: TurnView, title: ({ id }) => `Turn …${(id ?? "").slice(-8)}` },
  session: { View: SessionView, title: ({ session_id }) => `Session ${session_id}` },
  failed: { View: FailedView, title: () => "Failed turns" },
  workers: { View: WorkersView, title: () => "Workers" },
};

class App extends Component {
  #heading = createRef();

  componentDidMount() {
    const { page } = this.props;
    page.subscribe(() => this.forceUpdate());
    document.addEventListener("keydown", focusSearch);
    document.addEventListener("click", (event) => this.#openLink(event));
  }

  componentDidUpdate() {
    const { state } = this.props.page;
    document.title = `${findFindings(state)[0].headline} ${VIEWS[state.route.view].title(state.route)} · InTurn`;
  }

  render({ page }) {
    const { pendingAction, isActing, route, loaded, stats, error, keyPrompt } = page.state;
    const { View, title } = VIEWS[route.view];
    const { data, error: loadError } = loaded && urlOf(loaded.route) === urlOf(route) ? loaded : {};
    return html`
      <${Header} page=${page} />
      <div class=${error || keyPrompt ? "stale" : null}>
        <section aria-label="Are users waiting?">
          <${Banners} page=${page} />
          <${Summary} state=${page.state} />
          <${StaleNotice} state=${page.state} />
          <${Tiles} stats=${stats} />
        </section>
        <main>
          <h1 ref=${this.#heading} tabindex="-1">${title(route)}</h1>
          <${Notice} page=${page} />
          ${loadError ? html`<p class="empty">${loadError}</p>` : html`<${View} page=${page} route=${route} stats=${stats} data=${data} />`}
        </main>
      </div>
      ${stats?.version && html`<footer>InTurn ${stats.version}</footer>`}
      ${pendingAction && html`<${pendingAction.Dialog ?? ConfirmDialog} action=${pendingAction} isActing=${isActing} onClose=${(isConfirmed, values) => page.finishDialog(isConfirmed, values)} />`}`;
  }

  // Links within the page change the view without a reload. Focus moves to the heading, so that keyboard and screen
  // reader users continue there instead of at a link that may no longer exist.
  #openLink(event) {
    const link = event.target.closest("a");
    if (!link || link.pathname !== PATH || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    this.props.page.open(parseRoute(link.search));
    this.#heading.current.focus({ preventScroll: true });
  }
}

function focusSearch(event) {
  const isTyping = event.target.closest("input, textarea, select, dialog");
  if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  document.getElementById("find").focus();
}

const page = new Page();
const root = document.getElementById("app");
root.replaceChildren();
render(html`<${App} page=${page} />`, root);
page.start();
