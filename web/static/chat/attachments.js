// Images and files: uploaded when they are chosen, pasted or dropped, and shown in messages. A browser cannot send the API
// key with the address of an image, so the page fetches each one and shows it from memory.
import { queryString, request } from "../shared/http.js";
import { Icon } from "../shared/icons.js";
import { randomId } from "../shared/random.js";
import { Component, html } from "../shared/ui.js";

const UPLOAD_SECONDS = 120;
const DATA_URL = /^data:(image\/(?:png|jpeg|gif|webp));base64,([A-Za-z0-9+/=]+)$/;
const MAX_SHOWN = 200; // images in memory; older ones are fetched again
const shown = new Map(); // addresses of the images in memory, by file

// The files of the next message. Each is uploaded at once, so that sending takes no longer than for text.
export class Attachments {
  #onChange;

  constructor({ onChange }) {
    this.#onChange = onChange;
    this.list = [];
    this.uploaded = Promise.resolve(); // fulfilled when no file is being uploaded
  }

  // The parts of the uploaded files, as the API takes and returns them.
  get parts() {
    return this.list.flatMap(({ part }) => part ?? []);
  }

  add(files, userId) {
    const uploads = [...files].map((file) => this.#upload({ key: randomId("file-"), name: file.name || "image" }, file, userId));
    this.uploaded = Promise.all([this.uploaded, ...uploads]);
  }

  restore(parts) {
    this.list = parts.map((part) => ({ key: randomId("file-"), name: part.name, part }));
    this.#onChange();
  }

  remove(key) {
    this.list = this.list.filter((attachment) => attachment.key !== key);
    this.#onChange();
  }

  clear() {
    this.list = [];
    this.#onChange();
  }

  async #upload(attachment, file, userId) {
    this.list = [...this.list, attachment];
    this.#onChange();
    const changes = await upload(file, attachment.name, userId).then((part) => ({ part }), (error) => ({ problem: error.message }));
    this.list = this.list.map((other) => (other.key === attachment.key ? { ...other, ...changes } : other));
    this.#onChange();
  }
}

async function upload(file, name, userId) {
  const path = `/v1/files${queryString({ name: name.replaceAll(/[/\\"]/g, "_").slice(0, 200), user_id: userId })}`;
  const headers = { Accept: "application/json", "Content-Type": file.type || "application/octet-stream" };
  const response = await request(path, { method: "POST", headers, body: file, signal: AbortSignal.timeout(UPLOAD_SECONDS * 1000) });
  const { id, media_type, name: stored } = await response.json();
  return { type: media_type.startsWith("image/") ? "image" : "file", file_id: id, name: stored, media_type };
}

// The list above the message box.
export function AttachmentList({ attachments, userId }) {
  if (!attachments.list.length) return null;
  return html`<ul class="attachments" aria-label="Attached files">
    ${attachments.list.map(({ key, name, part, problem }) => html`<li key=${key} class=${problem ? "refused" : ""}>
      ${part ? html`<${FilePart} part=${part} userId=${userId} />` : html`<span class="file">${name}</span>`}
      <span class="attachment-state" role="status">${problem ?? (part ? "" : "Uploading…")}</span>
      <button type="button" class="quiet" aria-label=${`Remove ${name}`} onClick=${() => attachments.remove(key)}><${Icon} name="cancel" /></button>
    </li>`)}
  </ul>`;
}

// The images and files of a message, without its text.
export function FileParts({ parts, userId }) {
  const files = (parts ?? []).filter(({ type }) => type === "image" || type === "file");
  if (!files.length) return null;
  return html`<div class="file-parts">${files.map((part, at) => html`<${FilePart} key=${part.file_id ?? at} part=${part} userId=${userId} />`)}</div>`;
}

// The text of the parts, without the placeholders that stand for files in `text`. A message that is not confirmed yet has
// only its files as parts.
export function textOf(parts, text) {
  if (!parts) return text;
  const texts = parts.filter(({ type }) => type === "text").map((part) => part.text);
  if (texts.length) return texts.join("\n");
  return /^(\[(image|file)(: [^\n]*)?\]\n?)+$/.test(text) ? "" : text;
}

class FilePart extends Component {
  state = { address: null, hasFailed: false };

  async componentDidMount() {
    const { part, userId } = this.props;
    const isOwn = part.type === "image" && (part.file_id || DATA_URL.test(part.url));
    if (!isOwn) return;
    const address = await (part.file_id ? load(part.file_id, userId) : decode(part.url)).catch(() => null);
    this.setState({ address, hasFailed: !address });
  }

  render({ part }, { address, hasFailed }) {
    const name = part.name || (part.type === "image" ? "Image" : "File");
    if (address) return html`<img class="thumbnail" src=${address} alt=${name} title=${name} />`;
    if (part.url && !part.url.startsWith("data:")) return html`<a class="file" href=${part.url} rel="noopener noreferrer nofollow" target="_blank">${part.url}</a>`;
    return html`<span class="file"><${Icon} name="file" />${name}${hasFailed && " (cannot be shown)"}</span>`;
  }
}

// An image that a model has sent. The policy of the page allows only images in memory.
async function decode(url) {
  const [, mediaType, data] = DATA_URL.exec(url);
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  return URL.createObjectURL(new Blob([bytes], { type: mediaType }));
}

// Return an address of the image that is valid in this page.
async function load(fileId, userId) {
  if (!shown.has(fileId)) {
    const response = await request(`/v1/files/${fileId}${queryString({ user_id: userId })}`, {});
    shown.set(fileId, URL.createObjectURL(await response.blob()));
    if (shown.size > MAX_SHOWN) forgetOldest();
  }
  return shown.get(fileId);
}

function forgetOldest() {
  const [fileId, address] = shown.entries().next().value;
  URL.revokeObjectURL(address);
  shown.delete(fileId);
}
