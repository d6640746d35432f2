"use strict";
// What the page can do besides being read: its tables sort and filter, its rows
// unfold, and its flame graphs zoom. What is filtered stands in the address.
// Without this script the page is whole.
(function () {
  const collator = new Intl.Collator("en", { numeric: true });
  const filter = document.getElementById("filter");
  const status = filter.querySelector("[role=status]");
  const tables = Array.from(document.querySelectorAll("table.sort"));
  const choices = Array.from(filter.querySelectorAll("select"));
  const tiles = Array.from(document.querySelectorAll(".tiles a"));
  const scales = { n: 1e-9, µ: 1e-6, m: 1e-3, k: 1e3, M: 1e6, G: 1e9 };

  // Those whose rows are benchmarks can be filtered by their names.
  const ofBenchmarks = tables.filter(function (t) { return t.tHead.rows[0].cells[0].textContent.trim() === "benchmark"; });
  const rows = Array.from(document.querySelectorAll("#tables table.rows")).flatMap(function (t) { return Array.from(t.tBodies[0].rows); });

  // figure reads a number as the page writes it: "+6.16%", "[−0.5, +1.2]",
  // "152.9µs", "~ +5", "<0.001". It is null for what is none.
  function figure(text) {
    const m = /^[\[~<\s]*([+−-]?\d[\d.]*(?:e[+-]?\d+)?)(.?)/i.exec(text.trim());
    if (!m) return null;
    return parseFloat(m[1].replace("−", "-")) * (scales[m[2]] || 1);
  }

  function key(row, column, numeric) {
    const cell = row.cells[column];
    if (!cell) return null;
    if (cell.dataset.key !== undefined) return Number(cell.dataset.key);
    return numeric ? figure(cell.textContent) : cell.textContent.trim();
  }

  function compare(a, b) {
    return typeof a === "number" ? a - b : collator.compare(a, b);
  }

  // sort goes from the larger figures, or from A, to the other way round, and
  // then back to the order of the page. What has no figure comes last.
  function sort(table, heads, head, column) {
    fold();
    const numeric = head.classList.contains("num");
    const first = numeric ? "descending" : "ascending";
    const second = numeric ? "ascending" : "descending";
    const before = head.getAttribute("aria-sort");
    const order = before === first ? second : before === second ? "" : first;
    heads.forEach(function (h) { h.removeAttribute("aria-sort"); });
    if (order) head.setAttribute("aria-sort", order);
    const body = table.tBodies[0];
    const all = Array.from(body.rows).map(function (row) { return { row: row, key: key(row, column, numeric), place: Number(row.dataset.place) }; });
    all.sort(function (a, b) {
      if (!order || (a.key === null && b.key === null)) return a.place - b.place;
      if (a.key === null || b.key === null) return a.key === null ? 1 : -1;
      return (order === "descending" ? -1 : 1) * compare(a.key, b.key) || a.place - b.place;
    });
    body.append(...all.map(function (r) { return r.row; }));
    say(order ? "Sorted by " + head.textContent + ", " + order + ". " : "In the page’s order. ");
  }

  function makeSortable(table) {
    const heads = Array.from(table.tHead.rows[0].cells);
    Array.from(table.tBodies[0].rows).forEach(function (row, i) { row.dataset.place = i; });
    heads.forEach(function (head, column) {
      const text = head.textContent.trim();
      if (!text) return;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = text;
      button.addEventListener("click", function () { sort(table, heads, head, column); });
      head.replaceChildren(button);
    });
  }

  // chosen are the choices that are made: of a build's place among the verdicts
  // of a row, its kind ("" for any) and verdict.
  function chosen() {
    return choices.filter(function (c) { return c.value; }).map(function (c) {
      const words = c.value.split(" ");
      return { build: Number(c.dataset.build), name: c.dataset.name, value: c.value, kind: words.length > 1 ? words[0] : "", verdict: words[words.length - 1] };
    });
  }

  // shows decides on a row: each word is part of its name or of what it is found
  // by, and each build has the verdict that is asked of it.
  function shows(row, words, wanted) {
    const text = (row.cells[0].textContent + " " + (row.dataset.search || "")).toLowerCase();
    if (!words.every(function (w) { return text.includes(w); })) return false;
    if (row.dataset.verdicts === undefined) return true;
    const verdicts = row.dataset.verdicts.split(" ");
    return wanted.every(function (w) { return verdicts[w.build] === w.verdict && (!w.kind || row.dataset.kind === w.kind); });
  }

  let shown = "";
  function apply() {
    fold();
    const words = filter.elements.q.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = chosen();
    ofBenchmarks.forEach(function (table) {
      const ours = !table.closest("#controls");
      Array.from(table.tBodies[0].rows).forEach(function (row) { row.hidden = !shows(row, words, ours ? wanted : []); });
    });
    const left = rows.filter(function (r) { return !r.hidden; }).length;
    shown = left === rows.length ? rows.length + " rows" : left + " of " + rows.length + " rows; means and charts are of all";
    tiles.forEach(function (t) {
      const on = wanted.some(function (w) { return t.dataset.filter === w.name + ":" + w.value; });
      if (on) t.setAttribute("aria-current", "true"); else t.removeAttribute("aria-current");
    });
    say("");
  }

  function say(text) { status.textContent = text + shown; }

  // The address keeps what is filtered, so that it can be sent and found again.
  function write() {
    const params = new URLSearchParams();
    if (filter.elements.q.value) params.set("q", filter.elements.q.value);
    chosen().forEach(function (w) { params.append("verdict", w.name + ":" + w.value); });
    const query = params.toString();
    history.replaceState(null, "", location.pathname + (query ? "?" + query : "") + location.hash);
  }

  function choose(text) {
    choices.forEach(function (c) {
      const value = text.startsWith(c.dataset.name + ":") ? text.slice(c.dataset.name.length + 1) : null;
      if (value !== null && Array.from(c.options).some(function (o) { return o.value === value; })) c.value = value;
    });
  }

  function read() {
    const params = new URLSearchParams(location.search);
    clear();
    filter.elements.q.value = params.get("q") || "";
    params.getAll("verdict").forEach(choose);
  }

  // A tile leaves its rows alone; once more, all.
  tiles.forEach(function (t) {
    t.addEventListener("click", function (e) {
      e.preventDefault();
      const on = t.getAttribute("aria-current") === "true";
      clear();
      if (!on) choose(t.dataset.filter);
      apply();
      write();
      document.getElementById("tables").scrollIntoView();
    });
  });

  // unfold puts what is told of a benchmark below its row, or back.
  let unfolded = null;
  function fold() {
    if (!unfolded) return;
    const u = unfolded;
    unfolded = null;
    u.home.replaceWith(u.panel);
    u.panel.open = false;
    u.tr.remove();
    u.link.setAttribute("aria-expanded", "false");
  }

  function unfold(row, panel, link) {
    fold();
    const home = document.createComment("");
    panel.replaceWith(home);
    const tr = document.createElement("tr");
    const td = document.createElement("td");
    tr.className = "inserted";
    td.colSpan = row.cells.length;
    td.append(panel);
    tr.append(td);
    row.after(tr);
    panel.open = true;
    link.setAttribute("aria-expanded", "true");
    unfolded = { panel: panel, home: home, tr: tr, link: link };
  }

  rows.forEach(function (row) {
    const link = row.cells[0].querySelector("a");
    link.setAttribute("aria-expanded", "false");
    link.addEventListener("click", function (e) {
      e.preventDefault();
      if (unfolded && unfolded.link === link) { fold(); address(""); return; }
      unfold(row, document.getElementById(link.hash.slice(1)), link);
      address(link.hash);
    });
  });

  function address(hash) { history.replaceState(null, "", location.pathname + location.search + hash); }

  // arrive shows what the address names: a row, or what is told of one.
  function arrive() {
    const id = decodeURIComponent(location.hash.slice(1));
    if (!id.startsWith("b-")) return;
    const row = document.getElementById("r-" + id.slice(2));
    if (!row) return;
    if (row.hidden) { clear(); apply(); write(); }
    const panel = document.getElementById(id);
    if (panel) unfold(row, panel, row.cells[0].querySelector("a"));
    row.scrollIntoView({ block: "start" });
  }

  function clear() {
    filter.elements.q.value = "";
    choices.forEach(function (c) { c.value = ""; });
  }

  // A flame graph zooms to a frame that is clicked, and marks what is found.
  document.querySelectorAll(".flamebox").forEach(function (box) {
    const list = box.querySelector(".flame"), tools = box.querySelector(".tools");
    const input = tools.querySelector("input"), output = tools.querySelector("output");
    const frames = Array.from(list.children);
    function zoom(frame) {
      list.style.setProperty("--L", frame.style.getPropertyValue("--l"));
      list.style.setProperty("--W", frame.style.getPropertyValue("--w"));
    }
    list.addEventListener("click", function (e) { if (e.target.parentNode === list) zoom(e.target); });
    tools.querySelector("button").addEventListener("click", function () { zoom(frames[0]); });
    input.addEventListener("input", function () {
      const word = input.value.toLowerCase();
      let share = 0, end = -1;
      const found = frames.filter(function (f) { return word && f.textContent.toLowerCase().includes(word); });
      frames.forEach(function (f) { f.classList.toggle("found", found.includes(f)); });
      // Frames stand before those below them: what lies within one that was
      // found is counted with it.
      found.forEach(function (f) {
        const l = Number(f.style.getPropertyValue("--l")), w = Number(f.style.getPropertyValue("--w"));
        if (l + w > end + 1e-9) { share += w; end = l + w; }
      });
      output.textContent = word ? found.length + " found, " + (100 * share).toFixed(1) + "% of the operation" : "";
    });
    tools.hidden = false;
  });

  // fit lets a table scroll by itself only if it is wider than the window: only
  // then its head cannot stick to the window's edge.
  function fit() {
    document.documentElement.style.setProperty("--stick", (getComputedStyle(filter).position === "sticky" ? filter.offsetHeight : 0) + "px");
    document.querySelectorAll(".scroll").forEach(function (s) {
      s.classList.remove("wide");
      s.classList.toggle("wide", s.scrollWidth > s.clientWidth);
    });
  }

  tables.forEach(makeSortable);
  filter.addEventListener("input", function () { apply(); write(); });
  filter.addEventListener("submit", function (e) { e.preventDefault(); });
  filter.addEventListener("reset", function () { setTimeout(function () { apply(); write(); }); });
  addEventListener("hashchange", arrive);
  addEventListener("popstate", function () { read(); apply(); });
  addEventListener("resize", fit);
  filter.hidden = false;
  read();
  apply();
  fit();
  arrive();
  addEventListener("load", function () { setTimeout(arrive); }); // after the browser has gone there by itself

  // On paper the key to the rows is unfolded, and what is told of one is not.
  const legend = document.querySelector("details.legend");
  let closed = false;
  addEventListener("beforeprint", function () { fold(); closed = !legend.open; legend.open = true; });
  addEventListener("afterprint", function () { if (closed) legend.open = false; });
})();
