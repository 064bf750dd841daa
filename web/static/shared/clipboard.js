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

// Show the result in the label of the button that was pressed. An icon may stand before the label.
export async function copyWithFeedback(button, text) {
  const { lastChild } = button;
  const label = lastChild.data;
  await copy(text).then(
    () => (lastChild.data = "Copied"),
    () => (lastChild.data = "Copy failed"),
  );
  setTimeout(() => (lastChild.data = label), 1500);
}
