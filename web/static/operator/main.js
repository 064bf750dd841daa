// Entry point of the operator page: renders the views from the state of the page.
import { Component, createRef, html, render } from "../shared/ui.js";
import { ConfirmDialog } from "./components/confirm_dialog.js";
import { Empty } from "./components/empty.js";
import { Header } from "./components/header.js";
import { Banners, Notice, StaleNotice } from "./components/notices.js";
import { BriefSummary, Summary, Tiles } from "./components/summary.js";
import { findFindings } from "./findings.js";
import { Page } from "./page.js";
import { PATH, urlOf } from "./route.js";
import { parseRoute, VIEWS } from "./views.js";

// Ways out of a turn or a session that does not exist.
const ELSEWHERE = [
  { label: "Live turns", to: { view: "live" } },
  { label: "Failed turns", to: { view: "failed" } },
];

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
    const { route, loaded, stats, error, keyPrompt } = page.state;
    const { View, title } = VIEWS[route.view];
    const { data, error: loadError } = loaded && urlOf(loaded.route) === urlOf(route) ? loaded : {};
    return html`
      <${Header} page=${page} />
      <div class=${error || keyPrompt ? "stale" : null}>
        <${ServiceState} page=${page} />
        <main>
          <h1 ref=${this.#heading} tabindex="-1">${title(route)}</h1>
          <${Notice} page=${page} />
          ${loadError ? html`<${Empty} next=${ELSEWHERE}>${loadError}</${Empty}>` : html`<${View} page=${page} route=${route} stats=${stats} data=${data} />`}
        </main>
      </div>
      ${stats?.version && html`<footer>InTurn ${stats.version}</footer>`}
      <${Confirmation} page=${page} />`;
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

// In full on the overview, and in one line elsewhere, so that it does not push the subject of a view down.
function ServiceState({ page }) {
  const isOverview = page.state.route.view === "overview";
  return html`<section aria-label="Are users waiting?">
    <${Banners} page=${page} />
    ${isOverview ? html`<${Summary} state=${page.state} />` : html`<${BriefSummary} state=${page.state} />`}
    <${StaleNotice} state=${page.state} />
    ${isOverview && html`<${Tiles} stats=${page.state.stats} />`}
  </section>`;
}

function Confirmation({ page }) {
  const { pendingAction, isActing, dialogError } = page.state;
  if (!pendingAction) return null;
  return html`<${ConfirmDialog} action=${pendingAction} isActing=${isActing} error=${dialogError} onClose=${(values) => page.finishDialog(values)} />`;
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
