// The header: the views, the search box, and the refresh interval.
import { Component, createRef, html } from "../shared/ui.js";
import { REFRESH_SECONDS } from "./page.js";
import { PATH, searchRoute, urlOf } from "./route.js";

const VIEWS = { overview: "Overview", live: "Live turns", failed: "Failed", workers: "Workers" };
const PARENT_VIEW = { turn: "live", session: "live" };

export function Header({ page }) {
  const { route, refreshSeconds, stats } = page.state;
  const current = PARENT_VIEW[route.view] ?? route.view;
  const counts = { live: stats?.live_turns, failed: stats?.failed_turns, workers: stats?.live_workers };
  return html`<header>
    <a class="brand" href=${PATH}><span class="mark" aria-hidden="true"></span>InTurn <small>operator</small></a>
    <nav aria-label="Views">
      ${Object.entries(VIEWS).map(
        ([view, label]) => html`<a key=${view} href=${urlOf({ view })} aria-current=${view === current ? "page" : null}>
          ${label}${counts[view] !== undefined && html` <span class="count">${counts[view]}</span>`}</a>`,
      )}
    </nav>
    <${SearchBox} page=${page} />
    <label><span class="visually-hidden">Refresh interval</span>
      <select value=${refreshSeconds} onChange=${({ target }) => page.setRefreshSeconds(Number(target.value))}>
        ${REFRESH_SECONDS.map((seconds) => html`<option key=${seconds} value=${seconds}>Refresh: ${seconds ? `${seconds} s` : "off"}</option>`)}
      </select></label>
    ${!refreshSeconds && html`<button type="button" onClick=${() => page.refresh()}>Refresh</button>`}
  </header>`;
}

class SearchBox extends Component {
  #text = createRef();

  render({ page }) {
    const search = (event) => {
      event.preventDefault();
      if (this.#text.current.value.trim()) page.open(searchRoute(this.#text.current.value));
    };
    return html`<form class="find" role="search" aria-label="Find" onSubmit=${search}>
      <input id="find" ref=${this.#text} type="search" maxlength="128" spellcheck=${false} autocomplete="off"
        aria-label="Find a turn, session or user by id" placeholder="Find by id  ( / )" /></form>`;
  }
}
