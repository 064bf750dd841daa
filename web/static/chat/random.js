// Ids that nobody guesses. `crypto.randomUUID` is missing where a page is served over plain HTTP by name.
export function randomId(prefix) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return prefix + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
