// The bar above the conversation: the assistant, the title, and on narrow screens the buttons of the list.
import { Icon } from "../shared/icons.js";
import { html } from "../shared/ui.js";
import { readable } from "./labels.js";

export function Header({ page }) {
  const { session } = page.conversation;
  const { isListOpen } = page.state;
  return html`<header>
    <button type="button" class="icon-button narrow" title="Chats" aria-label="Chats" aria-controls="chats"
      aria-expanded=${String(isListOpen)} onClick=${() => page.update({ isListOpen: !isListOpen })}><${Icon} name="menu" /></button>
    <${AssistantChoice} page=${page} />
    <h1 class=${session.isNew ? "visually-hidden" : "chat-title"} dir="auto">${page.sessions.titleOf(session)}</h1>
    <button type="button" class="icon-button narrow" title="New chat" aria-label="New chat" onClick=${() => page.openNew()}>
      <${Icon} name="new" /></button>
  </header>`;
}

function AssistantChoice({ page }) {
  const { assistants } = page.state;
  const { assistant } = page;
  if (assistants.length < 2) return null;
  return html`<label class="assistant"><span>Assistant</span>
    <select value=${assistant.name} title=${assistant.description || "Assistant"} onChange=${({ target }) => page.chooseAssistant(target.value)}>
      ${assistants.map(({ name }) => html`<option key=${name} value=${name}>${readable(name)}</option>`)}
    </select></label>`;
}
