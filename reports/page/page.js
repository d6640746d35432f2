"use strict";
// What the page can do besides being read: its tables sort and filter, and
// what is folded is unfolded on paper. Without this script they are plain.
(function () {
  const collator = new Intl.Collator("en", { numeric: true });
  const filter = document.getElementById("filter");
  const status = filter.querySelector("[role=status]");
  const tables = Array.from(document.querySelectorAll("table.sort"));
  const scales = { n: 1e-9, µ: 1e-6, m: 1e-3, k: 1e3, M: 1e6, G: 1e9 };

  // Those whose rows are benchmarks can be filtered by their names.
  const ofBenchmarks = tables.filter(function (t) { return t.tHead.rows[0].cells[0].textContent.trim() === "benchmark"; });

  // placed gives the cells of a table's head their columns, and the name of
  // the group that they stand below.
  function placed(head) {
    const taken = [], groups = [], all = [];
    Array.from(head.rows).forEach(function (row, r) {
      let column = 0;
      for (const cell of row.cells) {
        while ((taken[column] || 0) > r) column++;
        for (let i = 0; i < cell.colSpan; i++) {
          if (cell.colSpan > 1) groups[column + i] = cell.textContent;
          taken[column + i] = r + cell.rowSpan;
        }
        if (cell.colSpan === 1) all.push({ cell: cell, column: column, group: groups[column] || "" });
        column += cell.colSpan;
      }
    });
    return all;
  }

  // cellAt is a row's cell in a column, null where one cell spans several.
  function cellAt(row, column) {
    let at = 0;
    for (const cell of row.cells) {
      if (at === column && cell.colSpan === 1) return cell;
      at += cell.colSpan;
      if (at > column) return null;
    }
    return null;
  }

  // figure reads a number as the page writes it: "+6.16%", "[−0.5, +1.2]",
  // "152.9µs", "~ +5", "<0.001". It is null for what is none.
  function figure(text) {
    const m = /^[\[~<\s]*([+−-]?\d[\d.]*(?:e[+-]?\d+)?)(.?)/i.exec(text.trim());
    if (!m) return null;
    return parseFloat(m[1].replace("−", "-")) * (scales[m[2]] || 1);
  }

  function key(row, head) {
    const cell = cellAt(row, head.column);
    if (!cell) return null;
    if (cell.dataset.v !== undefined) return Number(cell.dataset.v);
    return head.cell.classList.contains("num") ? figure(cell.textContent) : cell.textContent.trim();
  }

  function compare(a, b) {
    return typeof a === "number" ? a - b : collator.compare(a, b);
  }

  // sort goes from the larger figures, or from A, to the other way round, and
  // then back to the order of the page. What has no figure comes last.
  function sort(table, heads, head) {
    const first = head.cell.classList.contains("num") || head.verdict ? "descending" : "ascending";
    const second = first === "descending" ? "ascending" : "descending";
    const before = head.cell.getAttribute("aria-sort");
    const order = before === first ? second : before === second ? "" : first;
    heads.forEach(function (h) { h.cell.removeAttribute("aria-sort"); });
    if (order) head.cell.setAttribute("aria-sort", order);
    const body = table.tBodies[0];
    const rows = Array.from(body.rows).map(function (row) { return { row: row, key: key(row, head), place: Number(row.dataset.place) }; });
    rows.sort(function (a, b) {
      if (!order || (a.key === null && b.key === null)) return a.place - b.place;
      if (a.key === null || b.key === null) return a.key === null ? 1 : -1;
      return (order === "descending" ? -1 : 1) * compare(a.key, b.key) || a.place - b.place;
    });
    body.append(...rows.map(function (r) { return r.row; }));
    say(order ? "Sorted by " + head.name + ", " + order + ". " : "In the page’s order. ");
  }

  function makeSortable(table) {
    const heads = placed(table.tHead);
    Array.from(table.tBodies[0].rows).forEach(function (row, i) { row.dataset.place = i; });
    for (const head of heads) {
      const text = head.cell.textContent.trim();
      if (!text) continue;
      head.verdict = text === "verdict";
      head.name = (head.group + " " + text).trim();
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = text;
      if (head.group) button.setAttribute("aria-label", head.name);
      button.addEventListener("click", function () { sort(table, heads, head); });
      head.cell.replaceChildren(button);
    }
  }

  // shows decides on a row: each word is part of its first cell, and one of
  // its verdicts is chosen. A row without a verdict is chosen by its name.
  function shows(row, words, verdicts) {
    const name = row.cells[0].textContent.toLowerCase();
    if (!words.every(function (w) { return name.includes(w); })) return false;
    if (row.dataset.verdict === undefined || !verdicts) return true;
    return row.dataset.verdict.split(" ").some(function (v) { return verdicts.includes(v); });
  }

  let shown = "";
  function apply() {
    const words = filter.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const boxes = Array.from(filter.elements.verdict);
    const chosen = boxes.filter(function (b) { return b.checked; }).map(function (b) { return b.value; });
    const verdicts = chosen.length === boxes.length ? null : chosen;
    let all = 0, left = 0;
    for (const table of ofBenchmarks) {
      for (const row of table.tBodies[0].rows) {
        row.hidden = !shows(row, words, verdicts);
        if (!table.closest("#tables") || table.closest("details")) continue;
        all++;
        if (!row.hidden) left++;
      }
    }
    shown = left === all ? all + " rows" : left + " of " + all + " rows; means and charts are of all";
    say("");
  }

  function say(text) { status.textContent = text + shown; }

  tables.forEach(makeSortable);
  filter.addEventListener("input", apply);
  filter.addEventListener("submit", function (e) { e.preventDefault(); });
  filter.addEventListener("reset", function () { setTimeout(apply); });
  filter.hidden = false;
  apply();

  let unfolded = [];
  addEventListener("beforeprint", function () {
    unfolded = Array.from(document.querySelectorAll("details:not(.screen):not([open])"));
    unfolded.forEach(function (d) { d.open = true; });
  });
  addEventListener("afterprint", function () {
    unfolded.forEach(function (d) { d.open = false; });
  });
})();
