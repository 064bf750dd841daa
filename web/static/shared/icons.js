// Icons of 16 × 16 units, drawn as lines. Each stands beside a label or inside a button with an accessible name.
import { html } from "./ui.js";

const PATHS = {
  attach: "M12.5 7.5 7.6 12.4a2.9 2.9 0 0 1-4.1-4.1L8.7 3.1a1.9 1.9 0 0 1 2.7 2.7L6.3 10.9a.9.9 0 0 1-1.3-1.3l4.6-4.6",
  cancel: "m4 4 8 8m0-8-8 8",
  copy: "M5.5 5.5h7.5v8H5.5zM3 10.5V2.5h7.5",
  delete: "M3 4.5h10M6.5 4V2.5h3V4M4.5 4.5l.5 9h6l.5-9",
  down: "M8 3v10M3.5 8.5 8 13l4.5-4.5",
  edit: "m3 13 .7-3L11 2.7l2.3 2.3L6 12.3z",
  file: "M4 2.5h5l3 3v8H4zM9 2.5v3h3",
  menu: "M2.5 4.5h11M2.5 8h11M2.5 11.5h7",
  new: "M8 3H4.5A1.5 1.5 0 0 0 3 4.5v7A1.5 1.5 0 0 0 4.5 13h7a1.5 1.5 0 0 0 1.5-1.5V8m-1.3-5.7 2 2-5.5 5.5-2.2.5.5-2.2z",
  branch: "M4.5 5.5v5M4.5 5.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3m0 5a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3m7-5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3m0 0v.5a2.5 2.5 0 0 1-2.5 2.5H7A2.5 2.5 0 0 0 4.5 11",
  retry: "M13 8a5 5 0 1 1-1.5-3.6L13 6m0-3.5V6H9.5",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9m3.3 7.8 3.2 3.2",
  send: "M8 13V3M3.5 7.5 8 3l4.5 4.5",
  settings: "M2.5 5h5m4 0h2m-11 6h2m4 0h5m-4-7.8a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6m-3 6a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6",
  stop: "M4.5 4.5h7v7h-7z",
};

export const Icon = ({ name }) => html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d=${PATHS[name]} /></svg>`;
