// What is said around the conversation: banners above it, offers to undo below, and the sheet of shortcuts.
import { KeyForm } from "../shared/key.js";
import { SHORTCUTS } from "./keys.js";
import { Component, createRef, html } from "../shared/ui.js";
import { CONNECTION_IN_WORDS } from "./words.js";

export function Banners({ page }) {
  const { isOnline, problem } = page.now;
  const { conversation, assistant, sessions } = page;
  const connection = isOnline ? conversation.connection : "offline";
  const trouble = problem ?? CONNECTION_IN_WORDS[connection] ?? conversation.problem ?? sessions.problem;
  return html`<div class="banners">
    ${assistant?.model === "offline" && html`<${OfflineModel} />`}
    ${sessions.asksForKey && html`<${KeyForm} />`}
    ${trouble && !sessions.asksForKey && html`<p class="banner trouble">${trouble}</p>`}
  </div>`;
}

function OfflineModel() {
  return html`<details class="banner offline-model">
    <summary>The built-in offline model answers: it only repeats. A real one is named when InTurn is started.</summary>
    <pre tabindex="0">OPENAI_API_KEY=… make up${"\n"}OPENAI_BASE_URL=http://127.0.0.1:11434/v1 INTURN_MODEL=llama3.2 make up</pre>
  </details>`;
}

export function Undo({ page }) {
  const { waiting } = page.sessions.deletions;
  return html`<div class="undo" role="status">
    ${waiting.map(
      (deletion) => html`<p key=${deletion.session.session_id}>
        <span>Deleted “${deletion.title}”.</span>
        <button type="button" onClick=${() => page.undoDeletion(deletion)}>Undo</button>
      </p>`,
    )}
  </div>`;
}

export class Help extends Component {
  #sheet = createRef();

  componentDidMount() {
    this.componentDidUpdate();
  }

  componentDidUpdate() {
    const sheet = this.#sheet.current;
    if (this.props.isOpen && !sheet.open) sheet.showModal();
    if (!this.props.isOpen && sheet.open) sheet.close();
  }

  render({ onClose }) {
    return html`<dialog ref=${this.#sheet} class="help" aria-labelledby="help-title" onClose=${onClose}>
      <h2 id="help-title">Keyboard shortcuts</h2>
      <dl>
        ${SHORTCUTS.map(
          ({ keys, does }) => html`<div key=${does}><dt>${keys.map((key) => html`<kbd>${key}</kbd>`)}</dt><dd>${does}</dd></div>`,
        )}
      </dl>
      <button type="button" onClick=${onClose}>Close</button>
    </dialog>`;
  }
}
