// Copy to the clipboard. The clipboard API is missing on pages served over plain HTTP from a named host.
export async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

// Show the result in the label of the button that was pressed.
export async function copyWithFeedback(button, text) {
  const label = button.textContent;
  await copy(text).then(
    () => (button.textContent = "Copied"),
    () => (button.textContent = "Copy failed"),
  );
  setTimeout(() => (button.textContent = label), 1500);
}
