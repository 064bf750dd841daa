// Applies the theme that the user chose before the first paint. A module would run after it, and a dark page would flash.
{
  const root = new URL(document.currentScript.src).pathname.split("/static/")[0];
  try {
    document.documentElement.dataset.theme = JSON.parse(localStorage.getItem(`inturn${root}.theme`)) ?? "";
  } catch {
    // The browser refuses storage: the page follows the theme of the system.
  }
}
