// The API key, where the service asks for one. It lives as long as the tab, and goes nowhere but into the header.
import { keptInTab } from "./kept.js";
import { Component, createRef, html } from "./ui.js";

// Each page has its own: who operates the service has another key than who talks.
const NAME = location.pathname === "/operator" ? "operator-key" : "key";

export const authorization = () => {
  const key = keptInTab.read(NAME, null);
  return key ? { Authorization: `Bearer ${key}` } : {};
};

export const isRefusedKey = (error) => error.code === "unauthenticated";

// `words`: why it is asked for.
export class KeyForm extends Component {
  #key = createRef();

  componentDidMount() {
    this.#key.current.focus();
  }

  render({ words = "This service asks for an API key." }) {
    return html`<form class="banner key" onSubmit=${(event) => this.#take(event)}>
      <label for="key">${words}</label>
      <input id="key" ref=${this.#key} type="password" autocomplete="off" spellcheck=${false} placeholder="inturn_…" />
      <button type="submit">Use it</button>
    </form>`;
  }

  #take(event) {
    event.preventDefault();
    keptInTab.write(NAME, this.#key.current.value.trim());
    location.reload(); // everything is asked for again, with the key
  }
}
