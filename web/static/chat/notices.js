// Banners above the conversation, the offer to undo a deletion, and the dialog with the shortcuts.
import { KeyForm, unauthenticatedPrompt } from "../shared/api_key.js";
import { commands } from "../shared/commands.js";
import { Dialog } from "../shared/dialog.js";
import { html } from "../shared/ui.js";
import { CONNECTION_LABELS } from "./labels.js";
import { SHORTCUTS } from "./shortcuts.js";

export function Banners({ page }) {
  const { isOnline, error } = page.state;
  const { conversation, assistant, sessions } = page;
  const connection = isOnline ? conversation.connection : "offline";
  const trouble = error ?? CONNECTION_LABELS[connection] ?? conversation.error ?? sessions.error;
  return html`<div class="banners">
    ${assistant?.model === "offline" && html`<${OfflineModel} />`}
    ${sessions.needsKey && html`<${KeyForm} prompt=${unauthenticatedPrompt("an API key")} />`}
    ${trouble && !sessions.needsKey && html`<p class="banner trouble">${trouble}</p>`}
  </div>`;
}

function OfflineModel() {
  return html`<details class="banner offline-model">
    <summary>Demo mode: no AI model is configured, so replies just echo your message. To use a real model, restart with:</summary>
    <pre tabindex="0">OPENAI_API_KEY=… ${commands.up}${"\n"}OPENAI_BASE_URL=http://127.0.0.1:11434/v1 INTURN_MODEL=llama3.2 ${commands.up}</pre>
  </details>`;
}

/** Give the focus of a deleted session to the button, which is there for a few seconds only. */
function takeLostFocus(button) {
  if (document.activeElement === document.body) button?.focus();
}

export function Undo({ page }) {
  const { pending } = page.sessions.deletions;
  return html`<div class="undo" role="status">
    ${pending.map(
      (deletion) => html`<p key=${deletion.session.session_id}>
        <span>Deleted “<bdi>${deletion.title}</bdi>”.</span>
        <button type="button" ref=${takeLostFocus} onClick=${() => page.undoDeletion(deletion)}>Undo</button>
      </p>`,
    )}
  </div>`;
}

export function Help({ onClose }) {
  return html`<${Dialog} title="Keyboard shortcuts" onClose=${onClose}>
    <dl class="shortcuts">
      ${SHORTCUTS.map(
        ({ keys, label }) => html`<div key=${label}><dt>${keys.map((key) => html`<kbd>${key}</kbd>`)}</dt><dd>${label}</dd></div>`,
      )}
    </dl>
    <p class="dialog-actions"><button type="button" onClick=${onClose}>Close</button></p>
  </${Dialog}>`;
}
