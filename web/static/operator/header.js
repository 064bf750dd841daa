// The bar on top: the views, the box to find a turn or a session, and how often the page looks.
import { Component, createRef, html } from "../shared/ui.js";
import { EVERY } from "./page.js";
import { addressOf, placeToFind } from "./place.js";

const VIEWS = { overview: "Overview", live: "Live turns", failed: "Failed", workers: "Workers" };
const PART_OF = { turn: "live", session: "live" };

export function Header({ page }) {
  const { place, every, stats } = page.now;
  const shown = PART_OF[place.view] ?? place.view;
  const counts = { live: stats?.live_turns, failed: stats?.failed_turns, workers: stats?.live_workers };
  return html`<header>
    <a class="brand" href="/operator"><span class="mark" aria-hidden="true"></span>InTurn <small>operator</small></a>
    <nav aria-label="Views">
      ${Object.entries(VIEWS).map(
        ([view, words]) => html`<a key=${view} href=${addressOf({ view })} aria-current=${view === shown ? "page" : null}>
          ${words}${counts[view] !== undefined && html` <span class="count">${counts[view]}</span>`}</a>`,
      )}
    </nav>
    <${Find} page=${page} />
    <label class="every"><span class="away">How often this page looks</span>
      <select value=${every} onChange=${({ target }) => page.setEvery(Number(target.value))}>
        ${EVERY.map((seconds) => html`<option key=${seconds} value=${seconds}>${seconds ? `every ${seconds} s` : "not by itself"}</option>`)}
      </select></label>
    ${!every && html`<button type="button" onClick=${() => page.look()}>Look</button>`}
  </header>`;
}

class Find extends Component {
  #text = createRef();

  render({ page }) {
    const find = (event) => {
      event.preventDefault();
      if (this.#text.current.value.trim()) page.open(placeToFind(this.#text.current.value));
    };
    return html`<form class="find" role="search" aria-label="Find" onSubmit=${find}>
      <input id="find" ref=${this.#text} type="search" maxlength="128" spellcheck=${false} autocomplete="off"
        aria-label="Find a turn, session or user by id" placeholder="Find an id  ( / )" /></form>`;
  }
}
