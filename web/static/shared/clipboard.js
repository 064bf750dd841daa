// Copying, also where the clipboard API is missing: on pages that are served over plain HTTP by name.
export async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "away";
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

// A button's own words tell that it has worked.
export async function copyAndSay(button, text) {
  const label = button.textContent;
  await copy(text).then(
    () => (button.textContent = "Copied"),
    () => (button.textContent = "Not allowed here"),
  );
  setTimeout(() => (button.textContent = label), 1500);
}
