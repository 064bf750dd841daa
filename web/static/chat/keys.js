// Keyboard shortcuts: the table that the help sheet shows is the one that is obeyed.

export const SHORTCUTS = [
  { keys: ["Enter"], does: "Send" },
  { keys: ["Shift", "Enter"], does: "Begin a new line" },
  { keys: ["↑"], does: "In an empty message: what you said last" },
  { keys: ["Esc"], does: "Stop the answer", on: is("Escape"), act: "stop" },
  { keys: ["Shift", "Esc"], does: "Go to the message", on: is("Escape", { shift: true }), act: "compose" },
  { keys: ["Ctrl", "Shift", "O"], does: "New session", on: is("KeyO", { ctrl: true, shift: true }), act: "openNew" },
  { keys: ["Alt", "↑"], does: "Session above", on: is("ArrowUp", { alt: true }), act: "above" },
  { keys: ["Alt", "↓"], does: "Session below", on: is("ArrowDown", { alt: true }), act: "below" },
  { keys: ["Ctrl", "Shift", "Y"], does: "Copy the last answer", on: is("KeyY", { ctrl: true, shift: true }), act: "copyLast" },
  { keys: ["Ctrl", "/"], does: "Show or hide this list", on: is("Slash", { ctrl: true }), act: "help" },
];

// On a Mac, Ctrl is ⌘ where people expect it; both work.
export function actOf(event) {
  if (event.isComposing || event.defaultPrevented) return undefined;
  return SHORTCUTS.find(({ on }) => on?.(event))?.act;
}

function is(code, { ctrl = false, shift = false, alt = false } = {}) {
  return (event) =>
    event.code === code && (event.ctrlKey || event.metaKey) === ctrl && event.shiftKey === shift && event.altKey === alt;
}
