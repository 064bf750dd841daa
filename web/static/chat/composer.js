// The message box. Its text survives reloads until it is sent.
import { Icon } from "../shared/icons.js";
import { Component, createRef, html } from "../shared/ui.js";
import { AttachmentList } from "./attachments.js";
import { readable } from "./labels.js";

const MAX_INPUT_BYTES = 131_072; // of UTF-8; the default of the service, until the assistants are loaded

export class Composer extends Component {
  #area = createRef();
  #picker = createRef();
  #isSending = false;
  state = { bytes: 0 };

  componentDidMount() {
    this.props.handle.current = this; // the page focuses and fills the box through this
    this.#loadDraft();
    if (!matchMedia("(pointer: coarse)").matches) this.focus(); // on phones this would open the keyboard at once
  }

  componentDidUpdate({ session }) {
    if (session !== this.props.session) this.#loadDraft();
  }

  focus() {
    this.#area.current.focus();
  }

  // Replace the text of the box and the attached files, for editing.
  edit(text, parts = []) {
    this.props.page.attachments.restore(parts.filter(({ type }) => type !== "text"));
    this.#area.current.value = text;
    this.#saveDraft();
    this.focus();
  }

  render({ page }, { bytes }) {
    const { answering, attachments } = page;
    const isTooLong = bytes > this.#maxBytes;
    return html`<section class="composer" aria-label="Your message" onPaste=${(event) => this.#attachFrom(event, event.clipboardData)}
      onDragOver=${(event) => page.acceptsFiles && event.preventDefault()} onDrop=${(event) => this.#attachFrom(event, event.dataTransfer)}>
      ${page.state.editing && html`<p class="editing">Editing an earlier message.${" "}
        <button type="button" class="link" onClick=${() => this.#cancelEditing()}>Cancel</button></p>`}
      <${Variables} page=${page} />
      <${AttachmentList} attachments=${attachments} userId=${page.conversation.session.user_id} />
      <div class="composer-box">
        ${page.acceptsFiles && html`<button type="button" class="round" title="Attach images or files" aria-label="Attach files"
          onClick=${() => this.#picker.current.click()}><${Icon} name="attach" /></button>
          <input type="file" multiple hidden ref=${this.#picker} onChange=${(event) => this.#attachPicked(event.target)} />`}
        <textarea ref=${this.#area} rows="1" dir="auto" placeholder="Message InTurn…" aria-label="Message"
          aria-invalid=${String(isTooLong)} aria-describedby="message-size" enterkeyhint="send"
          onInput=${() => this.#saveDraft()} onKeyDown=${(event) => this.#handleKey(event)}></textarea>
        ${answering && html`<button type="button" class="round stop" title="Stop (Esc)" aria-label="Stop" onClick=${() => page.stop(answering)}>
          <${Icon} name="stop" /></button>`}
        <button type="button" class="round primary" title="Send (Enter)" aria-label="Send" onClick=${() => this.#send()}>
          <${Icon} name="send" /></button>
      </div>
      <p class="problem" id="message-size" role="alert">${isTooLong &&
        `Too long to send: ${format(bytes)} bytes. The limit is ${format(this.#maxBytes)} bytes.`}</p>
      <p class="hint"><kbd>Enter</kbd> to send, <kbd>Shift</kbd> <kbd>Enter</kbd> for a new line.${" "}
        <button type="button" class="link" onClick=${() => page.update({ dialog: "help" })}>All shortcuts</button></p>
    </section>`;
  }

  get #maxBytes() {
    return this.props.page.assistant?.max_input_bytes ?? MAX_INPUT_BYTES;
  }

  #cancelEditing() {
    this.props.page.update({ editing: null });
    this.edit("");
  }

  #loadDraft() {
    this.#area.current.value = this.props.page.draft;
    this.#measure();
  }

  #saveDraft() {
    this.props.page.draft = this.#area.current.value;
    this.#measure();
  }

  // Count the bytes, and make the box as high as its text, up to the limit in the style sheet.
  #measure() {
    this.setState({ bytes: byteLength(this.#area.current.value) });
    const { style, scrollHeight } = ((this.#area.current.style.height = "auto"), this.#area.current);
    style.height = `${scrollHeight}px`;
  }

  #handleKey(event) {
    // While an input method composes text, Enter selects a word. Safari reports that as key code 229.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter" && !event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault();
      this.#send();
    } else if (event.key === "ArrowUp" && !this.#area.current.value && !event.altKey) {
      const { lastInput } = this.props;
      if (lastInput) event.preventDefault(), this.edit(lastInput);
    }
  }

  // Attach the files that were pasted or dropped. Text is pasted as usual.
  #attachFrom(event, { files }) {
    if (!files.length || !this.props.page.acceptsFiles) return;
    event.preventDefault();
    this.props.page.attach(files);
  }

  #attachPicked(input) {
    this.props.page.attach(input.files);
    input.value = ""; // so that the same file can be chosen again
    this.focus();
  }

  // Send the message once its files are uploaded.
  async #send() {
    const { page } = this.props;
    const { attachments } = page;
    if (this.#isSending) return;
    this.#isSending = true;
    await attachments.uploaded;
    this.#isSending = false;
    if (attachments === page.attachments) this.#sendNow(attachments); // otherwise another session was opened meanwhile
  }

  #sendNow({ parts }) {
    const text = this.#area.current.value;
    if (!(text.trim() || parts.length) || byteLength(text) > this.#maxBytes) return this.focus();
    const missing = this.props.page.send(text);
    if (missing) return document.getElementById(`variable-${missing}`).focus();
    this.#area.current.value = "";
    return this.#measure();
  }
}

function Variables({ page }) {
  const { variables } = page;
  if (!variables.length) return null;
  return html`<div class="variables">
    ${variables.map((variable) => html`<${Variable} key=${variable.name} variable=${variable} page=${page} />`)}
  </div>`;
}

function Variable({ variable: { name, description, value, isRequired }, page }) {
  const isMissing = page.state.missingVariable === name && !value.trim();
  return html`<div class="variable">
    <label for=${`variable-${name}`}>${readable(name)}${isRequired && " (required)"}
      <input id=${`variable-${name}`} value=${value} required=${isRequired} dir="auto" autocomplete="off" spellcheck="false"
        aria-invalid=${String(isMissing)} aria-describedby=${`missing-${name}`}
        placeholder=${description || "Enter a value"} onInput=${(event) => page.setVariable(name, event.target.value)} />
    </label>
    <p class="problem" id=${`missing-${name}`} role="alert">${isMissing &&
      html`Fill in <em>${name}</em> first${description ? `: ${description}` : "."}`}</p>
  </div>`;
}

const byteLength = (text) => new TextEncoder().encode(text).length;
const format = (number) => number.toLocaleString("en");
