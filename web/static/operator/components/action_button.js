// A button that runs an action. Its look follows from the action: red if it is destructive, neutral if it is harmless.
import { html } from "../../shared/ui.js";

// `of` completes the accessible name of a button that many rows have, and `text` is a shorter text of one in a narrow place.
// A key that may not act sees no button.
export function ActionButton({ page, action, of, text, isSmall = false }) {
  if (!page.mayRun(action)) return null;
  const name = of ? `${action.label} ${of}` : text && action.label;
  const classes = [isSmall && "quiet", action.isDestructive && "danger"].filter(Boolean).join(" ");
  return html`<button type="button" class=${classes} aria-label=${name} onClick=${() => page.act(action)}>${text ?? action.label}</button>`;
}
