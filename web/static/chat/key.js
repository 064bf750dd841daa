// The API key, where the service asks for one. It lives as long as the tab, and goes nowhere but into the header.
import { keptInTab } from "./kept.js";
import { Component, createRef, html } from "./ui.js";

export const authorization = () => {
  const key = keptInTab.read("key", null);
  return key ? { Authorization: `Bearer ${key}` } : {};
};

export const isRefusedKey = (error) => error.code === "unauthenticated";

export class KeyForm extends Component {
  #key = createRef();

  componentDidMount() {
    this.#key.current.focus();
  }

  render() {
    return html`<form class="banner key" onSubmit=${(event) => this.#take(event)}>
      <label for="key">This service asks for an API key.</label>
      <input id="key" ref=${this.#key} type="password" autocomplete="off" spellcheck=${false} placeholder="inturn_…" />
      <button type="submit">Use it</button>
    </form>`;
  }

  #take(event) {
    event.preventDefault();
    keptInTab.write("key", this.#key.current.value.trim());
    location.reload(); // everything is asked for again, with the key
  }
}
