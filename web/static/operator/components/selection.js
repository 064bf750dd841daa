// Check boxes of a list. The list stays checked while it refreshes; a row that is gone is no longer checked.
import { Component, html } from "../../shared/ui.js";

// `children` is called with `{ column, selected }`: the column of check boxes, and the checked rows' keys.
export class Selection extends Component {
  render({ rows, keyOf, children }, { checked = new Set() }) {
    const keys = rows.map(keyOf);
    const selected = keys.filter((key) => checked.has(key));
    const toggle = (changed, isChecked) => {
      const next = new Set(selected);
      for (const key of changed) isChecked ? next.add(key) : next.delete(key);
      this.setState({ checked: next });
    };
    const areAll = keys.length > 0 && selected.length === keys.length;
    const column = {
      head: html`<${Box} label="Select all" isChecked=${areAll} onToggle=${(isChecked) => toggle(keys, isChecked)} />`,
      name: "Select",
      cell: (row) => html`<${Box} label=${`Select ${keyOf(row)}`} isChecked=${checked.has(keyOf(row))}
        onToggle=${(isChecked) => toggle([keyOf(row)], isChecked)} />`,
    };
    return children({ column, selected });
  }
}

function Box({ label, isChecked, onToggle }) {
  return html`<input type="checkbox" aria-label=${label} checked=${isChecked} onChange=${({ target }) => onToggle(target.checked)} />`;
}
