// What stands across the page: that no key fits, that something is paused, that the numbers are old, what was done.
import { KeyForm } from "../shared/key.js";
import { html } from "../shared/ui.js";
import { SwitchButton } from "./workers_view.js";
import { addressOf } from "./place.js";
import { Ago, clock } from "./times.js";
import { SWITCHES } from "./words.js";

export function Banners({ page }) {
  const { keyWords, stats } = page.now;
  return html`<div class="banners">
    ${keyWords && html`<${KeyForm} words=${keyWords} />`}
    ${Object.entries(stats?.paused ?? {}).map(([name, since]) => html`<${Paused} key=${name} page=${page} name=${name} since=${since} />`)}
  </div>`;
}

// How old the numbers are, where none have come since.
export function Old({ now: { trouble, seenAt } }) {
  return trouble && seenAt && html`<p class="banner trouble old">What you see below is from ${clock(seenAt)} UTC.</p>`;
}

function Paused({ page, name, since }) {
  return html`<div class="banner trouble paused"><p><b>${SWITCHES[name].paused}</b>, for <${Ago} at=${since} /> now: ${SWITCHES[name].means}.</p>
    ${page.mayAct && html`<${SwitchButton} page=${page} name=${name} isPaused />`}</div>`;
}

export function Notice({ page }) {
  const { notice } = page.now;
  return html`<div class="notice" role="status">
    ${notice && html`<p class=${notice.trouble ? "trouble" : "done"}>${notice.trouble ?? notice.words}
      ${notice.turn && html` <a href=${addressOf({ view: "turn", id: notice.turn })}>${notice.turn}</a>`}
      <button type="button" class="quiet" onClick=${() => page.set({ notice: null })}>Close</button></p>`}
  </div>`;
}
