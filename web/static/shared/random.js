// Random ids. `crypto.randomUUID` is missing on pages served over plain HTTP from a named host.
export function randomId(prefix) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return prefix + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
