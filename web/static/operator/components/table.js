// A table whose rows become cards on narrow screens. The roles are explicit because CSS that changes the display of table
// elements removes their implicit roles.
import { html } from "../../shared/ui.js";
import { NO_VALUE } from "../format/time.js";

// `columns`: `{ head, cell(row), isNumber, name }`; a cell may return null, and `name` stands for a head that is no text. `empty` is shown if there are no rows.
export function Table({ label, columns, rows, keyOf, empty }) {
  if (!rows.length) return html`<p class="empty">${empty}</p>`;
  return html`<div class="scroll" role="region" aria-label=${label} tabindex="0">
    <table role="table" class="cards" aria-label=${label}>
      <thead role="rowgroup"><tr role="row">
        ${columns.map(({ head, isNumber }) => html`<th role="columnheader" scope="col" class=${isNumber ? "number" : ""}>${head}</th>`)}
      </tr></thead>
      <tbody role="rowgroup">
        ${rows.map(
          (row) => html`<tr role="row" key=${keyOf(row)}>
            ${columns.map((column) => html`<${Cell} key=${column.name ?? column.head} ...${column} content=${column.cell(row)} />`)}
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function Cell({ head, name = head, isNumber, content }) {
  const classes = [isNumber && "number", content === null && "no-value"].filter(Boolean).join(" ");
  return html`<td role="cell" class=${classes} data-head=${name}><span>${content ?? NO_VALUE}</span></td>`;
}
