// Where a message is written. Its text is kept over reloads until it is sent, and while it cannot be.
import { Component, createRef, html } from "../shared/ui.js";

export class Composer extends Component {
  #area = createRef();

  componentDidMount() {
    this.props.place.current = this; // for what others on the page do with it
    this.#fill();
    if (!matchMedia("(pointer: coarse)").matches) this.focus(); // on a phone that would open the keyboard at once
  }

  componentDidUpdate({ session }) {
    if (session !== this.props.session) this.#fill();
  }

  focus() {
    this.#area.current.focus();
  }

  // Puts a text there to be worked on.
  edit(text) {
    this.#area.current.value = text;
    this.#changed();
    this.focus();
  }

  render({ page }) {
    const { answering } = page;
    return html`<section class="composer" aria-label="Your message">
      <${Variables} page=${page} />
      <div class="composer-box">
        <textarea ref=${this.#area} rows="1" placeholder="Say something…" aria-label="Message" maxlength="32768"
          enterkeyhint="send" onInput=${() => this.#changed()} onKeyDown=${(event) => this.#pressed(event)}></textarea>
        ${answering && html`<button type="button" class="stop" onClick=${() => page.stop(answering)}>Stop</button>`}
        <button type="button" class="send" onClick=${() => this.#send()}>Send</button>
      </div>
      <p class="hint"><kbd>Enter</kbd> sends, <kbd>Shift</kbd> <kbd>Enter</kbd> begins a new line.${" "}
        <button type="button" class="link" onClick=${() => page.set({ isHelpOpen: true })}>All shortcuts</button></p>
    </section>`;
  }

  #fill() {
    this.#area.current.value = this.props.page.draft;
    this.#fit();
  }

  #changed() {
    this.props.page.draft = this.#area.current.value;
    this.#fit();
  }

  // As high as its text, up to what the style allows.
  #fit() {
    const { style, scrollHeight } = ((this.#area.current.style.height = "auto"), this.#area.current);
    style.height = `${scrollHeight}px`;
  }

  #pressed(event) {
    // While an input method composes, Enter chooses a word; 229 is how Safari says so.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter" && !event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault();
      this.#send();
    } else if (event.key === "ArrowUp" && !this.#area.current.value && !event.altKey) {
      const last = this.props.lastSaid;
      if (last) event.preventDefault(), this.edit(last);
    }
  }

  #send() {
    const text = this.#area.current.value;
    if (!text.trim()) return this.focus();
    const missing = this.props.page.send(text);
    if (missing) return document.getElementById(`variable-${missing}`).focus();
    this.#area.current.value = "";
    return this.#fit();
  }
}

function Variables({ page }) {
  const { assistants } = page.now;
  const { variables, assistant } = page;
  if (assistants.length < 2 && !variables.length) return null;
  return html`<div class="variables">
    ${assistants.length > 1 &&
    html`<label>assistant
      <select value=${assistant.name} onChange=${(event) => page.chooseAssistant(event.target.value)}>
        ${assistants.map(({ name }) => html`<option key=${name}>${name}</option>`)}
      </select></label>`}
    ${variables.map(
      ({ name, value, isRequired }) => html`<label key=${name} for=${`variable-${name}`}>${name.replaceAll("_", " ")}
        <input id=${`variable-${name}`} value=${value} required=${isRequired} autocomplete="off" spellcheck="false"
          placeholder=${isRequired ? "needed" : "none"} onInput=${(event) => page.setVariable(name, event.target.value)} />
      </label>`,
    )}
  </div>`;
}
