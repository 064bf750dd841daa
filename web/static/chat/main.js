// The chat page: puts the parts together and hands each of them what it shows.
import { Announcer } from "./announcer.js";
import { copy } from "../shared/clipboard.js";
import { Composer } from "./composer.js";
import { actOf } from "./keys.js";
import { Banners, Help, Undo } from "./notices.js";
import { Page } from "./page.js";
import { Sidebar } from "./sidebar.js";
import { entriesOf, TranscriptView } from "./transcript_view.js";
import { Component, createRef, html, render } from "../shared/ui.js";

class App extends Component {
  #composer = createRef();

  componentDidMount() {
    const { page } = this.props;
    page.listen(() => this.forceUpdate());
    document.addEventListener("keydown", (event) => this.#pressed(event));
  }

  componentDidUpdate() {
    const { page } = this.props;
    document.title = `${page.sessions.titles.of(page.conversation.session)} · InTurn`;
  }

  render({ page }) {
    const { conversation, now, sessions } = page;
    const { session } = conversation;
    const entries = entriesOf(page).filter(({ kind }) => kind === "turn");
    const edit = {
      text: (text) => this.#composer.current.edit(text),
      now: (missing) => missing && document.getElementById(`variable-${missing}`).focus(),
    };
    return html`
      <${Sidebar} page=${page} />
      ${now.isListOpen && html`<div class="shade" onClick=${() => page.set({ isListOpen: false })}></div>`}
      <main>
        <header>
          <button type="button" class="list-button" aria-expanded=${now.isListOpen ? "true" : "false"}
            aria-controls="sessions" onClick=${() => page.set({ isListOpen: !now.isListOpen })}>Sessions</button>
          <h1 class="session-title">${sessions.titles.of(session)}</h1>
        </header>
        <${Banners} page=${page} />
        <${TranscriptView} page=${page} session=${session} said=${page.outbox.turns.at(-1)?.key} edit=${edit} />
        <${Composer} place=${this.#composer} page=${page} session=${session} lastSaid=${entries.at(-1)?.input} />
      </main>
      <${Undo} page=${page} />
      <${Announcer} turn=${entries.at(-1)} session=${session} />
      <${Help} isOpen=${now.isHelpOpen} onClose=${() => page.set({ isHelpOpen: false })} />`;
  }

  #pressed(event) {
    const act = actOf(event);
    const { page } = this.props;
    if (!act || (page.now.isHelpOpen && act !== "help")) return; // the sheet closes by itself
    if (act === "stop" && page.now.isListOpen) return page.set({ isListOpen: false });
    event.preventDefault();
    const { session } = page.conversation;
    const beside = (step) => page.sessions.beside(session, step);
    const acts = {
      stop: () => page.answering && page.stop(page.answering),
      compose: () => this.#composer.current.focus(),
      openNew: () => (page.openNew(), this.#composer.current.focus()),
      above: () => beside(-1) && page.open(beside(-1)),
      below: () => beside(1) && page.open(beside(1)),
      copyLast: () => copy(entriesOf(page).findLast(({ text }) => text)?.text ?? ""),
      help: () => page.set({ isHelpOpen: !page.now.isHelpOpen }),
    };
    return acts[act]();
  }
}

const page = new Page();
const place = document.getElementById("app");
place.replaceChildren();
render(html`<${App} page=${page} />`, place);
page.start();
