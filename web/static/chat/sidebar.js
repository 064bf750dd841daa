// The list of chats, with the search, and the button for the settings.
import { Icon } from "../shared/icons.js";
import { Component, createRef, html } from "../shared/ui.js";
import { dateGroup } from "./dates.js";
import { getUser } from "./preferences.js";
import { isSameSession, sessionKey, sessionUrl } from "./route.js";
import { isAnswering } from "./turn.js";

export class Sidebar extends Component {
  // On narrow screens the list covers the page: the focus follows it, and returns to the button that opened it.
  componentDidUpdate({ isOpen }) {
    if (isOpen === this.props.isOpen) return;
    document.querySelector(isOpen ? "[aria-controls=chats]" : "#chats .new").focus();
  }

  render({ page, isOpen }) {
    return html`<nav class=${`sidebar ${isOpen ? "open" : ""}`} id="chats" aria-label="Chats"><${List} page=${page} /></nav>`;
  }
}

function List({ page }) {
  const { sessions } = page;
  const { shown, search } = sessions;
  return html`
    <div class="sidebar-head">
      <span class="brand"><span class="mark" aria-hidden="true"></span>InTurn</span>
      <button type="button" class="icon-button close-list" aria-label="Close the list" title="Close the list"
        onClick=${() => page.update({ isListOpen: false })}><${Icon} name="cancel" /></button>
    </div>
    <button type="button" class="new" onClick=${() => page.openNew()}><${Icon} name="new" />New chat</button>
    <${Search} sessions=${sessions} onOpen=${() => shown.length && page.open(shown[0])} />
    <div class="groups">
      ${!sessions.isComplete && html`<p class="no-chats">Some chats cannot be shown at the moment.</p>`}
      ${groupByDate(shown).map(
        ([label, group]) => html`<section key=${label} aria-label=${label}>
          <h2>${label}</h2>
          <ul>${group.map((session) => html`<${Item} key=${sessionKey(session)} page=${page} session=${session}
            title=${sessions.titleOf(session)} isOpen=${isSameSession(session, page.conversation.session)} />`)}</ul>
        </section>`,
      )}
      ${!shown.length && html`<p class="no-chats" role="status">${emptyLabel(sessions)}</p>`}
      ${sessions.hasMore && html`<button type="button" class="quiet more" onClick=${() => page.loadMoreSessions()}>
        <${Icon} name="down" />${search ? "Search older chats" : "Show older chats"}</button>`}
    </div>
    <button type="button" class="quiet open-settings" onClick=${() => page.update({ dialog: "settings" })}>
      <${Icon} name="settings" />Settings${getUser() && html` <bdi>${getUser()}</bdi>`}</button>`;
}

function Search({ sessions, onOpen }) {
  const handleKey = (event) => {
    if (event.key === "Enter" && !event.isComposing) onOpen();
    if (event.key !== "Escape" || !sessions.search) return;
    event.preventDefault(); // otherwise the shortcut for Escape would stop the answer
    sessions.setSearch("");
  };
  return html`<label class="search"><${Icon} name="search" />
    <input id="search" type="search" aria-label="Search chats" placeholder="Search chats" autocomplete="off" value=${sessions.search}
      onInput=${({ target }) => sessions.setSearch(target.value)} onKeyDown=${handleKey} /></label>`;
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
    const activity = activityLabel(session, isOpen ? page.conversation : null);
    return html`<li class=${`item ${isOpen ? "current" : ""}`}>
      <a href=${sessionUrl(session)} aria-current=${isOpen ? "page" : null} onClick=${(event) => this.#open(event)}>
        <span class="title" dir="auto" title=${title}>${title}</span>
        ${activity && html`<span class="activity">${activity}</span>`}
      </a>
      <button type="button" class="icon-button" title="Rename" aria-label=${`Rename ${title}`}
        onClick=${() => this.setState({ isRenaming: true })}><${Icon} name="edit" /></button>
      <button type="button" class="icon-button" title="Delete" aria-label=${`Delete ${title}`}
        onClick=${() => page.delete(session)}><${Icon} name="delete" /></button>
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
    page.rename(session, this.#name.current.value);
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

function emptyLabel({ needsKey, error, search }) {
  if (needsKey) return "Locked.";
  return error ?? (search ? "No chat has this in its title." : "No chats yet.");
}

function groupByDate(sessions) {
  const groups = new Map();
  for (const session of sessions) {
    const label = dateGroup(session.last_active_at);
    groups.set(label, [...(groups.get(label) ?? []), session]);
  }
  return [...groups];
}

// The open conversation knows more than the list, which is loaded every few seconds only.
function activityLabel({ running_turn, queued_turns, user_id }, conversation) {
  const live = conversation?.isLoaded ? conversation.live : null;
  const isBusy = live ? live.some(isAnswering) : Boolean(running_turn);
  const waiting = live ? live.length - Number(isBusy) : queued_turns.length;
  return [!getUser() && user_id, isBusy && "answering", waiting && `${waiting} waiting`].filter(Boolean).join(" · ");
}
