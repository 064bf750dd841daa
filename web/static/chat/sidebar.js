// The list of sessions.
import { Component, createRef, html } from "../shared/ui.js";
import { isSameSession, sessionKey, sessionUrl } from "./route.js";

export class Sidebar extends Component {
  render({ page }) {
    const { sessions, conversation, state } = page;
    return html`<nav class=${`sidebar ${state.isListOpen ? "open" : ""}`} id="sessions" aria-label="Sessions">
      <div class="sidebar-head">
        <span class="brand"><span class="mark" aria-hidden="true"></span>InTurn</span>
        <button type="button" class="new" onClick=${() => page.openNew()}>New session</button>
      </div>
      <ul>
        ${sessions.shown.map(
          (session) => html`<${Item} key=${sessionKey(session)} page=${page} session=${session}
            title=${sessions.titles.get(session)} isOpen=${isSameSession(session, conversation.session)} />`,
        )}
      </ul>
      ${!sessions.shown.length && html`<p class="no-sessions">${sessions.error ?? "No sessions yet."}</p>`}
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
      return html`<li class="item"><input ref=${this.#name} class="rename" dir="auto" defaultValue=${title} maxlength="80"
        aria-label=${`New name for ${title}`} onBlur=${() => this.#rename()} onKeyDown=${(event) => this.#handleKey(event)} /></li>`;
    }
    const activity = activityLabel(session);
    return html`<li class=${`item ${isOpen ? "current" : ""}`}>
      <a href=${sessionUrl(session)} aria-current=${isOpen ? "page" : null} onClick=${(event) => this.#open(event)}>
        <span class="title" dir="auto">${title}</span>
        ${activity && html`<span class="activity">${activity}</span>`}
      </a>
      <button type="button" class="icon-button" title="Rename" aria-label=${`Rename ${title}`}
        onClick=${() => this.setState({ isRenaming: true })}><${PenIcon} /></button>
      <button type="button" class="icon-button" title="Delete" aria-label=${`Delete ${title}`}
        onClick=${() => page.delete(session)}><${BinIcon} /></button>
    </li>`;
  }

  #open(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // the browser opens a new tab or window
    event.preventDefault();
    this.props.page.open(this.props.session);
  }

  #rename() {
    if (!this.state.isRenaming) return;
    const { page, session } = this.props;
    page.sessions.titles.rename(session, this.#name.current.value);
    this.setState({ isRenaming: false });
  }

  #handleKey(event) {
    if (event.isComposing) return;
    if (event.key === "Enter") this.#rename();
    if (event.key === "Escape") {
      event.preventDefault(); // otherwise the shortcut for Escape would stop the answer
      event.stopPropagation();
      this.setState({ isRenaming: false });
    }
  }
}

function activityLabel({ running_turn, queued_turns, user_id }) {
  const parts = [user_id, running_turn && "answering"];
  if (queued_turns.length) parts.push(`${queued_turns.length} waiting`);
  return parts.filter(Boolean).join(" · ");
}

const PenIcon = () => html`<svg viewBox="0 0 16 16" aria-hidden="true"><path d="m3 13 .7-3L11 2.700l2.300 2.300L6 12.300z" /></svg>`;
const BinIcon = () => html`<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 4.500h10M6.500 4V2.500h3V4M4.500 4.500l.5 9h6l.5-9" /></svg>`;
