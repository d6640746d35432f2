"use strict";
// Compares two runs of the site. Which, and what of them is shown, stands in the
// address behind #. Names are anybody's: they become text and never markup.
(function () {
  const byId = function (id) { return document.getElementById(id); };
  const app = byId("app"), filter = byId("filter"), message = byId("message");
  const collator = new Intl.Collator("en", { numeric: true });
  const fields = ["q", "domain", "build", "unit", "kind", "show"];
  const fromFolder = location.protocol === "file:";

  // Data come as JSON from a server. A page that was opened from a folder may not
  // read files, but load scripts: those call take with the same data.
  const waiting = new Map(), loaded = new Map();
  window.xsmbench = { take: function (key, data) { waiting.get(key)?.(data); } };

  function load(key) {
    if (!loaded.has(key)) {
      const p = (fromFolder ? script(key) : json(key)).then(function (d) {
        if (d.schema !== 1) throw new Error("the data of " + key + " have schema " + d.schema + ", and this page reads 1: reload it");
        return d;
      });
      p.catch(function () { loaded.delete(key); });
      loaded.set(key, p);
    }
    return loaded.get(key);
  }

  function json(key) {
    return fetch("data/" + key + ".json").then(function (r) {
      if (!r.ok) throw new Error("data/" + key + ".json: " + r.status + " " + r.statusText);
      return r.json();
    });
  }

  function script(key) {
    return new Promise(function (resolve, reject) {
      const s = document.createElement("script");
      waiting.set(key, resolve);
      s.src = "data/" + key + ".js";
      s.onload = function () { s.remove(); };
      s.onerror = function () { s.remove(); reject(new Error("data/" + key + ".js cannot be read")); };
      document.head.append(s);
    });
  }

  // The state is what the address says.
  let index, state = {}, rows = [], pair = "";

  function readState() {
    const p = new URLSearchParams(location.hash.slice(1));
    state = { a: p.get("a") || "", b: p.get("b") || "", sort: p.get("sort") || "" };
    fields.forEach(function (f) { state[f] = p.get(f) || ""; });
  }

  function writeState() {
    const p = new URLSearchParams();
    ["a", "b"].concat(fields, ["sort"]).forEach(function (k) { if (state[k]) p.set(k, state[k]); });
    const hash = "#" + p;
    if (hash !== location.hash) history.replaceState(null, "", hash);
  }

  const byID = function (id) { return index.runs.find(function (r) { return r.id === id; }); };

  // before is the run before another one in its line.
  function before(run) {
    const of = index.runs.filter(function (r) { return r.line === run.line; });
    return of[of.indexOf(run) + 1];
  }

  function nameOf(run) {
    return [run.started ? run.started.slice(0, 16).replace("T", " ") : "unknown time", run.revision, run.label !== run.revision ? run.label : "", run.id.slice(0, 8)].filter(Boolean).join(" · ");
  }

  function option(value, text) {
    const o = document.createElement("option");
    o.value = value;
    o.textContent = text;
    return o;
  }

  // fillPickers offers the runs that have all words of the search, and those that
  // are chosen.
  function fillPickers() {
    const words = byId("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    ["a", "b"].forEach(function (side) {
      const select = byId(side);
      select.replaceChildren();
      if (!byID(state[side])) select.append(option("", "choose a run"));
      index.lines.forEach(function (line, i) {
        const group = document.createElement("optgroup");
        group.label = line.name;
        index.runs.forEach(function (r) {
          if (r.line !== i) return;
          const text = (nameOf(r) + " " + r.host + " " + line.name).toLowerCase();
          if (r.id === state[side] || words.every(function (w) { return text.includes(w); })) group.append(option(r.id, nameOf(r)));
        });
        if (group.children.length) select.append(group);
      });
      select.value = byID(state[side]) ? state[side] : "";
    });
    byId("previous").disabled = !byID(state.b) || !before(byID(state.b));
  }

  // choose makes a pair of what the address lacks: the newest run, and the one
  // before it in its line.
  function choose() {
    if (!state.a && !state.b) {
      state.b = index.runs[0].id;
      const first = before(index.runs[0]) || index.runs[1];
      state.a = first ? first.id : "";
    }
  }

  function say(text) { message.textContent = text; }

  async function show() {
    fillPickers();
    writeState();
    const a = byID(state.a), b = byID(state.b);
    if (!a || !b) {
      byId("result").hidden = true;
      const unknown = [state.a, state.b].filter(function (id) { return id && !byID(id); });
      say(unknown.length ? "This site has no run " + unknown.join(" and ") + ". Choose another." : "Choose two runs.");
      return;
    }
    const now = state.a + " " + state.b;
    if (now !== pair) {
      say("Reading the two runs…");
      let data;
      try {
        data = await Promise.all([load(a.id), load(b.id)]);
      } catch (e) {
        byId("result").hidden = true;
        say("The runs cannot be read: " + e.message);
        return;
      }
      if (now !== state.a + " " + state.b) return; // others were chosen meanwhile
      pair = now;
      rows = join(data[0], data[1]);
      facts(data[0], data[1]);
      fillFilters();
    }
    say("");
    byId("result").hidden = false;
    draw();
  }

  // current are the names of a run's builds and benchmarks that have other ones now. As
  // in the trends, a run that has a new name itself keeps the old one.
  function current(run) {
    const has = new Set(run.benchmarks), names = new Map();
    run.figures.forEach(function (f) { has.add(f.build); });
    (index.renamed || []).forEach(function (r) { if (has.has(r.old) && !has.has(r.new)) names.set(r.old, r.new); });
    return names;
  }

  // now is the name that one has now.
  function now(names, name) { return names.has(name) ? names.get(name) : name; }

  // join puts the figures of both runs side by side.
  function join(a, b) {
    const all = new Map();
    [a, b].forEach(function (run, side) {
      const names = current(run);
      run.figures.forEach(function (f) {
        const build = now(names, f.build);
        f.rows.forEach(function (r) {
          const name = now(names, run.benchmarks[r[0]]);
          const key = JSON.stringify([f.where, f.domain, build, f.unit, name]);
          let row = all.get(key);
          if (!row) {
            row = { benchmark: name, where: f.where, domain: f.domain, build: build, unit: f.unit, cost: f.cost, timed: f.timed, values: [null, null], exact: [false, false] };
            all.set(key, row);
          }
          row.values[side] = r[1];
          row.exact[side] = r[3] === 1;
        });
      });
    });
    const list = Array.from(all.values());
    const places = new Set(list.map(function (r) { return r.where; }));
    list.forEach(function (r) { complete(r, a, b, places.size > 1); });
    return list;
  }

  // complete says of a row what follows from its two values. Times of two machines
  // have no difference that means anything.
  function complete(r, a, b, severalPlaces) {
    const has = [r.values[0] !== null, r.values[1] !== null];
    r.both = has[0] && has[1];
    r.place = severalPlaces ? r.domain + " (" + r.where + ")" : r.domain;
    r.isExact = (!has[0] || r.exact[0]) && (!has[1] || r.exact[1]);
    r.diff = r.share = null;
    if (!r.both) r.kind = has[0] ? "only before" : "only after";
    else if (r.isExact) r.kind = "exact";
    else if (!r.timed) r.kind = "count, not exact";
    else r.kind = a.host !== b.host ? "other machine" : "timed";
    if (r.both && r.kind !== "other machine") {
      r.diff = r.values[1] - r.values[0];
      if (r.values[0] !== 0) r.share = r.diff / Math.abs(r.values[0]);
      else if (r.diff === 0) r.share = 0;
    }
  }

  const minus = function (text) { return text.replace("-", "−"); };

  // value writes a figure as the other pages do: times with their unit.
  function value(v, unit) {
    if (v === null) return "–";
    if (unit === "ns/op") return scaled(v * 1e-9, "s", [[1, ""], [1e-3, "m"], [1e-6, "µ"], [1e-9, "n"]]);
    if (unit === "B/s") return scaled(v, "B/s", [[1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""]]);
    return minus(String(Number.isInteger(v) ? v : Number(v.toPrecision(7))));
  }

  function scaled(v, unit, steps) {
    const size = Math.abs(v);
    if (size === 0) return "0" + unit;
    const s = steps.find(function (s) { return size >= s[0] * 0.99995; }) || steps[steps.length - 1];
    const x = v / s[0];
    return minus(String(Math.abs(x) >= 1 ? Number(x.toPrecision(4)) : Number(x.toFixed(3)))) + s[1] + unit;
  }

  function signed(v, text) { return v > 0 ? "+" + text : text; }

  function percent(share) {
    if (share === null) return "–";
    const text = (100 * share).toFixed(2);
    return Number(text) === 0 ? "0.00%" : signed(share, minus(text)) + "%";
  }

  function facts(a, b) {
    const body = byId("facts").tBodies[0];
    body.replaceChildren();
    const line = function (label, x, y, bold) {
      const tr = document.createElement("tr");
      const th = document.createElement("th");
      th.scope = "row";
      th.textContent = label;
      tr.append(th);
      [x, y].forEach(function (text) {
        const td = document.createElement("td");
        td.textContent = text || "–";
        tr.append(td);
      });
      if (bold && x !== y) tr.className = "differs";
      body.append(tr);
    };
    line("run", a.id.slice(0, 8), b.id.slice(0, 8));
    line("started", a.started.replace("T", " "), b.started.replace("T", " "));
    line("label", a.label, b.label);
    line("commit", a.revision, b.revision, true);
    line("target", a.target, b.target, true);
    line("machine", a.cpu + " (" + a.host + ")", b.cpu + " (" + b.host + ")", true);
    line("kernel", a.kernel, b.kernel, true);
    line("xsmbench", a.tool, b.tool, true);
    line("boots", String(a.boots), String(b.boots));
    const images = function (run, name) {
      const renamed = current(run);
      const build = run.builds.find(function (x) { return now(renamed, x.name) === name[0] && x.arch === name[1]; });
      return build ? [build.revision, build.image.slice(0, 8)].filter(Boolean).join(", image ") : "";
    };
    const names = new Map();
    [a, b].forEach(function (run) {
      const renamed = current(run);
      run.builds.forEach(function (x) {
        const name = now(renamed, x.name);
        names.set(JSON.stringify([name, x.arch]), [name, x.arch]);
      });
    });
    names.forEach(function (n) { line(n[0] + " (" + n[1] + ")", images(a, n), images(b, n), true); });
    const warning = byId("warning");
    const other = rows.filter(function (r) { return r.kind === "other machine"; }).length;
    warning.hidden = other === 0;
    warning.textContent = "The runs are of different machines. Times of one say nothing of the other, so " + other + " rows have no difference here.";
    byId("judge").textContent = "xsmbench history show " + a.id.slice(0, 8) + " -o before\nxsmbench history show " + b.id.slice(0, 8) + " -o after\nxsmbench gate after --against before";
    only();
    renames(a, b);
  }

  // renames says which names are others than those that the runs have.
  function renames(a, b) {
    const parts = [];
    [["before", a], ["after", b]].forEach(function (side) {
      current(side[1]).forEach(function (name, old) { parts.push(old + " of the run " + side[0] + " is " + name + " here"); });
    });
    byId("renamed").textContent = parts.length ? "Renamed: " + parts.join("; ") + "." : "";
  }

  // only names what one of the runs has and the other lacks.
  function only() {
    const parts = [];
    [["before", "only before"], ["after", "only after"]].forEach(function (side) {
      const names = rows.filter(function (r) { return r.kind === side[1]; }).map(function (r) { return r.benchmark + ", " + r.build + " in " + r.place + ", " + r.unit; });
      if (names.length) parts.push("Only the run " + side[0] + " has " + names.length + (names.length === 1 ? " row: " : " rows: ") + names.slice(0, 4).join("; ") + (names.length > 4 ? "; and " + (names.length - 4) + " more" : "") + ".");
    });
    byId("only").textContent = parts.join(" ");
  }

  function fillFilters() {
    [["domain", "place"], ["build", "build"], ["unit", "unit"]].forEach(function (f) {
      const select = filter.elements[f[0]];
      const all = Array.from(new Set(rows.map(function (r) { return r[f[1]]; }))).sort(collator.compare);
      select.replaceChildren(option("", f[0] === "unit" ? "costs" : "all"));
      if (f[0] === "unit") select.append(option("*", "all"));
      all.forEach(function (x) { select.append(option(x, x)); });
    });
  }

  function wanted(r) {
    const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
    return words.every(function (w) { return r.benchmark.toLowerCase().includes(w); }) &&
      (!state.domain || r.place === state.domain) && (!state.build || r.build === state.build) &&
      (state.unit === "*" || (state.unit ? r.unit === state.unit : r.cost)) &&
      (!state.kind || (state.kind === "exact") === r.isExact) &&
      (!state.show || (state.show === "one" ? !r.both : r.both && r.diff !== 0 && r.diff !== null));
  }

  // The order of the page: exact differences first, since they are certain, then
  // what is not exact, then what is the same; the largest first.
  const rank = function (r) { return !r.both ? 1 : r.isExact && r.diff !== 0 ? 0 : r.isExact ? 3 : 2; };

  const size = function (r) { return r.share === null ? (r.diff ? Infinity : -1) : Math.abs(r.share); };

  const keys = {
    a: function (r) { return r.values[0]; }, b: function (r) { return r.values[1]; },
    diff: function (r) { return r.diff; }, share: function (r) { return r.share; },
    domain: function (r) { return r.place; },
  };

  function sorted(list) {
    const column = state.sort.replace(/^-/, ""), down = state.sort.startsWith("-");
    if (!column || !document.querySelector("#rows th[data-sort=" + CSS.escape(column) + "]")) {
      return list.sort(function (x, y) { return rank(x) - rank(y) || size(y) - size(x) || collator.compare(x.benchmark, y.benchmark) || collator.compare(x.place, y.place) || collator.compare(x.build, y.build); });
    }
    const key = keys[column] || function (r) { return r[column]; };
    return list.sort(function (x, y) {
      const p = key(x), q = key(y);
      if (p === null || q === null) return p === q ? 0 : p === null ? 1 : -1;
      return (down ? -1 : 1) * (typeof p === "number" ? p - q : collator.compare(p, q)) || collator.compare(x.benchmark, y.benchmark);
    });
  }

  function draw() {
    fields.forEach(function (f) { if (filter.elements[f].value !== state[f]) filter.elements[f].value = state[f]; });
    const list = sorted(rows.filter(wanted));
    const body = byId("rows").tBodies[0];
    body.replaceChildren(...list.map(rowOf));
    const differ = list.filter(function (r) { return r.isExact && r.both && r.diff !== 0; }).length;
    byId("count").textContent = list.length + " of " + rows.length + " rows" + (list.length ? "; " + differ + " exact with a difference" : "");
    document.querySelectorAll("#rows th").forEach(function (h) {
      if (h.dataset.sort === state.sort.replace(/^-/, "")) h.setAttribute("aria-sort", state.sort.startsWith("-") ? "descending" : "ascending");
      else h.removeAttribute("aria-sort");
    });
    writeState();
  }

  function rowOf(r) {
    const tr = document.createElement("tr");
    const th = document.createElement("th");
    th.scope = "row";
    r.benchmark.split(/(?<=\/)/).forEach(function (part) { th.append(part, document.createElement("wbr")); });
    // Where there is no room for their columns, they stand below the name.
    const below = document.createElement("span");
    below.className = "below";
    below.textContent = r.build + " in " + r.place + ", " + r.unit + ", " + r.kind;
    th.append(below);
    tr.append(th);
    const cell = function (text, className) {
      const td = document.createElement("td");
      td.textContent = text;
      if (className) td.className = className;
      tr.append(td);
    };
    const colour = r.isExact && r.diff ? (r.diff > 0 ? " v slower" : " v faster") : "";
    cell(r.place, "aside");
    cell(r.build, "aside");
    cell(r.unit, "aside");
    cell(value(r.values[0], r.unit), "num");
    cell(value(r.values[1], r.unit), "num");
    cell(r.diff === null ? "–" : signed(r.diff, value(r.diff, r.unit)), "num" + colour);
    cell(percent(r.share), "num" + colour);
    cell(r.kind, "kind aside");
    return tr;
  }

  ["a", "b"].forEach(function (side) {
    byId(side).addEventListener("change", function () { state[side] = byId(side).value; show(); });
  });
  byId("find").addEventListener("input", fillPickers);
  byId("swap").addEventListener("click", function () { [state.a, state.b] = [state.b, state.a]; show(); });
  byId("previous").addEventListener("click", function () { state.a = before(byID(state.b)).id; show(); });
  byId("pick").addEventListener("submit", function (e) { e.preventDefault(); });
  filter.addEventListener("submit", function (e) { e.preventDefault(); });
  filter.addEventListener("input", function () {
    fields.forEach(function (f) { state[f] = filter.elements[f].value; });
    draw();
  });
  filter.addEventListener("reset", function (e) {
    e.preventDefault();
    fields.forEach(function (f) { state[f] = ""; });
    draw();
  });
  document.querySelectorAll("#rows th").forEach(function (head) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    // Figures begin with the largest, names with A; the third click gives the
    // page's order back.
    button.addEventListener("click", function () {
      const up = head.dataset.sort, down = "-" + up;
      const order = head.classList.contains("num") ? [down, up] : [up, down];
      state.sort = state.sort === order[0] ? order[1] : state.sort === order[1] ? "" : order[0];
      draw();
    });
    head.replaceChildren(button);
  });
  window.addEventListener("hashchange", function () { readState(); choose(); show(); });

  app.hidden = false;
  readState();
  say("Reading the list of runs…");
  load("index").then(function (d) { index = d; choose(); return show(); }).catch(function (e) { say("The list of runs cannot be read: " + e.message); });
})();
