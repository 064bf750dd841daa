// The list of sessions.
import { addressOf, isSame, keyOf } from "./place.js";
import { Component, createRef, html } from "../shared/ui.js";

export class Sidebar extends Component {
  render({ page }) {
    const { sessions, conversation, now } = page;
    return html`<nav class=${`sidebar ${now.isListOpen ? "open" : ""}`} id="sessions" aria-label="Sessions">
      <div class="sidebar-head">
        <span class="brand"><span class="mark" aria-hidden="true"></span>InTurn</span>
        <button type="button" class="new" onClick=${() => page.openNew()}>New session</button>
      </div>
      <ul>
        ${sessions.shown.map(
          (session) => html`<${Item} key=${keyOf(session)} page=${page} session=${session}
            title=${sessions.titles.of(session)} isOpen=${isSame(session, conversation.session)} />`,
        )}
      </ul>
      ${!sessions.shown.length && html`<p class="none">${sessions.problem ?? "No sessions yet."}</p>`}
      ${sessions.hasMore &&
      html`<button type="button" class="quiet" onClick=${() => page.loadMoreSessions()}>Show more</button>`}
    </nav>`;
  }
}

class Item extends Component {
  #name = createRef();
  state = { isRenaming: false };

  componentDidUpdate() {
    if (this.state.isRenaming && document.activeElement !== this.#name.current) this.#name.current.select();
  }

  render({ page, session, title, isOpen }, { isRenaming }) {
    if (isRenaming) {
      return html`<li class="item"><input ref=${this.#name} class="rename" defaultValue=${title} maxlength="80"
        aria-label=${`New name of ${title}`} onBlur=${() => this.#rename()} onKeyDown=${(event) => this.#pressed(event)} /></li>`;
    }
    return html`<li class=${`item ${isOpen ? "current" : ""}`}>
      <a href=${addressOf(session)} aria-current=${isOpen ? "page" : null} onClick=${(event) => this.#open(event)}>
        <span class="title">${title}</span>
        ${doing(session) && html`<span class="doing">${doing(session)}</span>`}
      </a>
      <button type="button" class="small" title="Rename" aria-label=${`Rename ${title}`}
        onClick=${() => this.setState({ isRenaming: true })}><${Pen} /></button>
      <button type="button" class="small" title="Delete" aria-label=${`Delete ${title}`}
        onClick=${() => page.delete(session)}><${Bin} /></button>
    </li>`;
  }

  #open(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // in a tab of its own
    event.preventDefault();
    this.props.page.open(this.props.session);
  }

  #rename() {
    if (!this.state.isRenaming) return;
    const { page, session } = this.props;
    page.sessions.titles.rename(session, this.#name.current.value);
    this.setState({ isRenaming: false });
  }

  #pressed(event) {
    if (event.isComposing) return;
    if (event.key === "Enter") this.#rename();
    if (event.key === "Escape") {
      event.preventDefault(); // it stops no answer
      event.stopPropagation();
      this.setState({ isRenaming: false });
    }
  }
}

function doing({ running_turn, queued_turns, user_id }) {
  const parts = [user_id, running_turn && "answering"];
  if (queued_turns.length) parts.push(`${queued_turns.length} waiting`);
  return parts.filter(Boolean).join(" · ");
}

const Pen = () => html`<svg viewBox="0 0 16 16" aria-hidden="true"><path d="m3 13 .7-3L11 2.700l2.300 2.300L6 12.300z" /></svg>`;
const Bin = () => html`<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 4.500h10M6.500 4V2.500h3V4M4.500 4.500l.5 9h6l.5-9" /></svg>`;
