// Entry point of the chat page: renders the components from the state of the page and handles shortcuts.
import { copy } from "../shared/clipboard.js";
import { Component, createRef, html, render } from "../shared/ui.js";
import { Announcer } from "./announcer.js";
import { textOf } from "./attachments.js";
import { Composer } from "./composer.js";
import { Header } from "./header.js";
import { Banners, Help, Undo } from "./notices.js";
import { Page } from "./page.js";
import { Settings } from "./settings.js";
import { actionFor } from "./shortcuts.js";
import { Sidebar } from "./sidebar.js";
import { transcriptEntries, TranscriptView } from "./transcript_view.js";

const NARROW = "(max-width: 44rem)"; // as in the style sheet
const DIALOGS = { help: Help, settings: Settings };

class App extends Component {
  #composer = createRef();

  componentDidMount() {
    const { page } = this.props;
    page.subscribe(() => this.forceUpdate());
    document.addEventListener("keydown", (event) => this.#handleKey(event));
  }

  componentDidUpdate() {
    const { page } = this.props;
    document.title = `${page.sessions.titleOf(page.conversation.session)} · InTurn`;
  }

  render({ page }) {
    const { state } = page;
    const { session } = page.conversation;
    const Dialog = DIALOGS[state.dialog];
    const turns = transcriptEntries(page).filter(({ kind }) => kind === "turn");
    const edit = {
      text: (text, parts) => this.#composer.current.edit(text, parts),
      missing: (variable) => variable && document.getElementById(`variable-${variable}`).focus(),
    };
    return html`
      <${Sidebar} page=${page} isOpen=${state.isListOpen} />
      ${state.isListOpen && html`<div class="backdrop" onClick=${() => page.update({ isListOpen: false })}></div>`}
      <main>
        <${Header} page=${page} />
        <${Banners} page=${page} />
        <${TranscriptView} page=${page} session=${session} lastSentKey=${page.outbox.turns.at(-1)?.key} edit=${edit} />
        <${Composer} handle=${this.#composer} page=${page} session=${session} lastInput=${turns.length ? textOf(turns.at(-1).parts, turns.at(-1).input) : ""} />
      </main>
      <${Undo} page=${page} />
      <${Announcer} turn=${turns.at(-1)} session=${session} />
      ${Dialog && html`<${Dialog} page=${page} onClose=${() => page.update({ dialog: null })} />`}`;
  }

  #handleKey(event) {
    const action = actionFor(event);
    const { page } = this.props;
    const { dialog } = page.state;
    if (!action || (dialog && (dialog !== "help" || action !== "help"))) return; // a dialog handles Escape itself
    if (action === "stop" && page.state.isListOpen) return page.update({ isListOpen: false });
    event.preventDefault();
    const neighbour = (step) => page.sessions.neighbour(page.conversation.session, step);
    const actions = {
      stop: () => page.answering && page.stop(page.answering),
      compose: () => this.#composer.current.focus(),
      openNew: () => (page.openNew(), this.#composer.current.focus()),
      above: () => neighbour(-1) && page.open(neighbour(-1)),
      below: () => neighbour(1) && page.open(neighbour(1)),
      copyLast: () => copy(transcriptEntries(page).findLast(({ text }) => text)?.text ?? ""),
      search: () => this.#focusSearch(),
      help: () => page.update({ dialog: dialog ? null : "help" }),
    };
    return actions[action]();
  }

  #focusSearch() {
    this.props.page.update({ isListOpen: matchMedia(NARROW).matches });
    requestAnimationFrame(() => document.getElementById("search").focus()); // once the list is visible
  }
}

const page = new Page();
const root = document.getElementById("app");
root.replaceChildren();
render(html`<${App} page=${page} />`, root);
page.start();
