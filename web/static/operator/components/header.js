// The header: the views, the search box, and the refresh interval.
import { Component, createRef, html } from "../../shared/ui.js";
import { REFRESH_SECONDS } from "../page.js";
import { PATH, searchRoute, urlOf } from "../route.js";
import { VIEWS } from "../views.js";

const TABS = Object.entries(VIEWS).filter(([, { tab }]) => tab);
const BAR = TABS.filter(([, { place }]) => place !== "menu");
const MENU = TABS.filter(([, { place }]) => place !== "bar");

export function Header({ page }) {
  const { route, refreshSeconds, stats } = page.state;
  const current = VIEWS[route.view].parent ?? route.view;
  return html`<header>
    <a class="brand" href=${PATH}><span class="mark" aria-hidden="true"></span>InTurn <small>operator</small></a>
    <nav aria-label="Views">
      ${BAR.map(([view, { place }]) => html`<${Tab} key=${view} view=${view} current=${current} stats=${stats} place=${place} />`)}
      ${MENU.length > 0 && html`<${Menu} key=${urlOf(route)} current=${current} stats=${stats} />`}
    </nav>
    <${SearchBox} page=${page} />
    <label><span class="visually-hidden">Refresh interval</span>
      <select value=${refreshSeconds} onChange=${({ target }) => page.setRefreshSeconds(Number(target.value))}>
        ${REFRESH_SECONDS.map((seconds) => html`<option key=${seconds} value=${seconds}>Refresh: ${seconds ? `${seconds} s` : "off"}</option>`)}
      </select></label>
    ${!refreshSeconds && html`<button type="button" onClick=${() => page.refresh()}>Refresh</button>`}
  </header>`;
}

function Tab({ view, current, stats, place }) {
  const { tab, count } = VIEWS[view];
  const number = stats && count?.(stats);
  return html`<a class=${`place-${place}`} href=${urlOf({ view })} aria-current=${view === current ? "page" : null}>${tab}${number !== undefined &&
    number !== null && html` <span class="count">${number.toLocaleString("en")}</span>`}</a>`;
}

// The views without a place in the bar; on a phone, also those with the place "wide". As a popover it closes by itself on
// Escape and on a click elsewhere; the key closes it when the route changes.
function Menu({ current, stats }) {
  const isForPhones = MENU.every(([, { place }]) => place === "wide");
  const place = MENU.find(([view]) => view === current)?.[1].place;
  return html`
    <button type="button" class=${`more ${isForPhones ? "narrow" : ""} ${place ? `current-${place}` : ""}`} popovertarget="more-views">More</button>
    <div id="more-views" popover="auto">
      ${MENU.map(([view, entry]) => html`<${Tab} key=${view} view=${view} current=${current} stats=${stats} place=${entry.place} />`)}
    </div>`;
}

class SearchBox extends Component {
  #text = createRef();

  render({ page }) {
    const search = (event) => {
      event.preventDefault();
      if (this.#text.current.value.trim()) page.open(searchRoute(this.#text.current.value));
    };
    return html`<form class="find" role="search" aria-label="Find" onSubmit=${search}>
      <input id="find" ref=${this.#text} type="search" maxlength="512" spellcheck=${false} autocomplete="off"
        aria-label="Find a turn, session, user, request or tenant" placeholder="Find by id" /><kbd aria-hidden="true">/</kbd></form>`;
  }
}
