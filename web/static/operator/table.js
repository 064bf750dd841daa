// A table whose rows become cards on a narrow screen; roles are given, since styles would take them away there.
import { html } from "../shared/ui.js";
import { NOTHING } from "./times.js";

// `columns`: `{ head, cell(row), isNumber }`, null in a cell is nothing. `empty`: what is said where there are no rows.
export function Table({ label, columns, rows, keyOf, empty }) {
  if (!rows.length) return html`<p class="none">${empty}</p>`;
  return html`<div class="scroll" role="region" aria-label=${label} tabindex="0">
    <table role="table" class="cards" aria-label=${label}>
      <thead role="rowgroup"><tr role="row">
        ${columns.map(({ head, isNumber }) => html`<th role="columnheader" scope="col" class=${isNumber ? "number" : ""}>${head}</th>`)}
      </tr></thead>
      <tbody role="rowgroup">
        ${rows.map(
          (row) => html`<tr role="row" key=${keyOf(row)}>
            ${columns.map((column) => html`<${Cell} key=${column.head} ...${column} content=${column.cell(row)} />`)}
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function Cell({ head, isNumber, content }) {
  const classes = [isNumber && "number", content === null && "nothing"].filter(Boolean).join(" ");
  return html`<td role="cell" class=${classes} data-head=${head}><span>${content ?? NOTHING}</span></td>`;
}
