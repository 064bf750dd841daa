// A conversation without messages: how to begin, or why it is empty.
import { html } from "../shared/ui.js";

const SUGGESTIONS = [
  { label: "Explain", rest: "how HTTP caching works" },
  { label: "Write", rest: "a reminder for an unpaid invoice" },
  { label: "Compare", rest: "PostgreSQL with SQLite" },
  { label: "Plan", rest: "a week of vegetarian dinners" },
];

export function Empty({ page, edit }) {
  const { conversation, assistant, sessions } = page;
  if (sessions.needsKey) return html`<div class="empty"><h2>This service is locked</h2><p>Enter your API key above to see your chats.</p></div>`;
  if (conversation.error) return html`<p class="empty">${conversation.error} Retrying…</p>`;
  if (!conversation.isLoaded) return html`<p class="empty">Loading the chat…</p>`;
  return html`<div class="empty">
    <h2>What would you like to know?</h2>
    ${assistant?.description && html`<p>${assistant.description}</p>`}
    <ul class="suggestions" aria-label="Suggestions">
      ${SUGGESTIONS.map(
        ({ label, rest }) => html`<li key=${label}>
          <button type="button" onClick=${() => edit.text(`${label} ${rest}`)}><b>${label}</b> ${rest}</button></li>`,
      )}
    </ul>
    <p>Answers come one at a time, in order. You can send several messages, or close this page while you wait.</p>
  </div>`;
}
