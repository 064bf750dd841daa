// The API key, if the service requires one. It is kept as long as the tab and sent in the Authorization header only.
import { ROOT } from "./root.js";
import { tabStorage } from "./storage.js";
import { Component, createRef, html } from "./ui.js";

// The two pages use separate keys: an operator key usually cannot submit turns, and a tenant's key cannot operate.
const NAME = location.pathname === `${ROOT}/operator` ? "operator-key" : "key";

export const authorization = () => {
  const key = tabStorage.get(NAME, null);
  return key ? { Authorization: `Bearer ${key}` } : {};
};

export const hasApiKey = () => tabStorage.get(NAME, null) !== null;

// Keep the key, or forget it if it is null. Every request is sent again after the reload, now with the key.
export function saveApiKey(key) {
  tabStorage.set(NAME, key);
  location.reload();
}

export const isUnauthenticated = (error) => error.code === "unauthenticated";

// Return the label of the form when the service answers 401. `kind` is for example "an API key".
export function unauthenticatedPrompt(kind) {
  return hasApiKey() ? "Invalid, expired or revoked API key. Enter another one." : `Locked. Enter ${kind}.`;
}

export class KeyForm extends Component {
  #key = createRef();

  componentDidMount() {
    this.#key.current.focus();
  }

  render({ prompt }) {
    return html`<form class="banner key" onSubmit=${(event) => this.#submit(event)}>
      <label for="key">${prompt}</label>
      <input id="key" ref=${this.#key} type="password" autocomplete="off" spellcheck=${false} placeholder="inturn_…" />
      <button type="submit" class="primary">Use key</button>
    </form>`;
  }

  #submit(event) {
    event.preventDefault();
    saveApiKey(this.#key.current.value.trim());
  }
}
