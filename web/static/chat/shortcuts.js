// Keyboard shortcuts. The help dialog shows the same table that handles the keys, so they cannot disagree.

export const SHORTCUTS = [
  { keys: ["Enter"], label: "Send" },
  { keys: ["Shift", "Enter"], label: "New line" },
  { keys: ["↑"], label: "Edit your last message (in an empty box)" },
  { keys: ["Esc"], label: "Stop the answer", matches: isKey("Escape"), action: "stop" },
  { keys: ["Shift", "Esc"], label: "Go to the message box", matches: isKey("Escape", { shift: true }), action: "compose" },
  { keys: ["Ctrl", "Shift", "O"], label: "New chat", matches: isKey("KeyO", { ctrl: true, shift: true }), action: "openNew" },
  { keys: ["Ctrl", "K"], label: "Search chats", matches: isKey("KeyK", { ctrl: true }), action: "search" },
  { keys: ["Alt", "↑"], label: "Chat above", matches: isKey("ArrowUp", { alt: true }), action: "above" },
  { keys: ["Alt", "↓"], label: "Chat below", matches: isKey("ArrowDown", { alt: true }), action: "below" },
  { keys: ["Ctrl", "Shift", "Y"], label: "Copy the last answer", matches: isKey("KeyY", { ctrl: true, shift: true }), action: "copyLast" },
  { keys: ["Ctrl", "/"], label: "Show or hide this list", matches: isKey("Slash", { ctrl: true }), action: "help" },
];

export function actionFor(event) {
  if (event.isComposing || event.defaultPrevented) return undefined;
  return SHORTCUTS.find(({ matches }) => matches?.(event))?.action;
}

// On a Mac both Ctrl and ⌘ work, because users expect ⌘ there.
function isKey(code, { ctrl = false, shift = false, alt = false } = {}) {
  return (event) =>
    event.code === code && (event.ctrlKey || event.metaKey) === ctrl && event.shiftKey === shift && event.altKey === alt;
}
