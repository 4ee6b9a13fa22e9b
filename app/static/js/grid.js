// The arrow keys go from cell to cell in a table with data-arrows. Tab does too; this is quicker.
"use strict";

(() => {
  const SIDEWAYS = { ArrowLeft: -1, ArrowRight: 1 };
  const UP_AND_DOWN = { ArrowUp: -1, ArrowDown: 1 };

  const within = (cell) => cell?.querySelector("a, summary");

  // The first cell with something to open, from `index` on in steps of `step`.
  function search(cells, index, step) {
    for (let at = index; at >= 0 && at < cells.length; at += step) {
      if (within(cells[at])) return within(cells[at]);
    }
    return null;
  }

  function goal(cell, key) {
    const row = [...cell.parentElement.cells];
    const isStacked = getComputedStyle(cell).display !== "table-cell";
    const step = SIDEWAYS[key] ?? (isStacked ? UP_AND_DOWN[key] : undefined);
    if (step) return search(row, cell.cellIndex + step, step);
    if (key === "Home") return search(row, 0, 1);
    if (key === "End") return search(row, row.length - 1, -1);
    const rows = [...cell.closest("table").querySelectorAll("tr[data-cells]")];
    const column = rows.map((each) => each.cells[cell.cellIndex]);
    return UP_AND_DOWN[key] ? search(column, rows.indexOf(cell.parentElement) + UP_AND_DOWN[key], UP_AND_DOWN[key]) : null;
  }

  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const cell = event.target.closest("[data-arrows] tr[data-cells] > *");
    const target = cell && goal(cell, event.key);
    if (!target) return;
    event.preventDefault();
    target.focus();
  });

  document.querySelectorAll("[data-arrows-hint]").forEach((hint) => { hint.hidden = false; });
})();
