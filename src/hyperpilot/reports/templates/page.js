"use strict";
// The page: words, table, panel and theme, and the one picked trial that all figures share.

(() => {
  const THEMES = ["auto", "light", "dark"], POLL_MS = 3000;
  const $ = (id) => document.getElementById(id);
  const drawn = new Map(); // name -> where it highlights, and how many traces come before
  let data = JSON.parse($("data").textContent), picked = null, theme = "auto";

  function element(tag, text, properties = {}) {
    const made = Object.assign(document.createElement(tag), properties);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  const touched = () => window.matchMedia("(pointer: coarse)").matches; // a finger scrolls, and does not zoom

  function look() {
    const style = getComputedStyle(document.documentElement), names = "back card ink soft line accent second picked low middle high shade";
    return Object.fromEntries(names.split(" ").map((name) => [name, style.getPropertyValue("--" + name).trim()]));
  }

  function merged(layout, colors) {
    const axis = {gridcolor: colors.line, linecolor: colors.line, zerolinecolor: colors.line, automargin: true};
    const made = {height: 380, margin: {l: 56, r: 12, t: 10, b: 48}, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: {color: colors.ink, family: "system-ui, sans-serif", size: 12}, hovermode: "closest", uirevision: "kept", dragmode: touched() ? false : "zoom",
      modebar: {bgcolor: "rgba(0,0,0,0)", color: colors.soft, activecolor: colors.accent},
      legend: {orientation: "h", y: 1.02, yanchor: "bottom", x: 0, font: {size: 11}}, colorway: OKABE, xaxis: {}, yaxis: {}, ...layout,
      hoverlabel: {bgcolor: colors.card, bordercolor: colors.line, font: {color: colors.ink}}};
    for (const name of Object.keys(made)) if (/^[xy]axis/.test(name)) made[name] = {...axis, ...made[name]};
    if (made.xaxis1) { delete made.xaxis; delete made.yaxis; }
    return made;
  }

  function renamed(layout) { // Plotly knows no x1
    const made = {};
    for (const [name, value] of Object.entries(layout)) {
      const anchor = value && typeof value === "object" && typeof value.anchor === "string" ? {...value, anchor: value.anchor.replace(/^([xy])1$/, "$1")} : value;
      made[name.replace(/^([xy]axis)1$/, "$1")] = anchor;
    }
    return made;
  }

  const onFirst = (trace) => Object.fromEntries(Object.entries(trace).map(([k, v]) => [k, k.endsWith("axis") && /^[xy]1$/.test(v) ? v[0] : v]));

  function draw(figure, colors) {
    const plot = $("plot-" + figure.name);
    const made = FIGURES[figure.name](data.frames, colors, plot.clientWidth);
    const shown = made.picked.map((each) => ({...each.trace, name: "picked", x: [], y: [], ...(picked === null ? {} : each.at(picked))}));
    const layout = renamed(merged(made.layout, colors));
    const options = {displaylogo: false, responsive: false, modeBarButtonsToRemove: ["select2d", "lasso2d"],
      displayModeBar: touched() ? false : "hover"};
    Plotly.react(plot, [...made.traces, ...shown].map(onFirst), {...layout, width: plot.clientWidth}, options);
    if (!drawn.has(figure.name)) plot.on("plotly_click", ({points}) => {
      const trial = points[0].customdata;
      if (Number.isInteger(trial) && figure.trials) pick(trial === picked ? null : trial);
    });
    drawn.set(figure.name, {picked: made.picked, from: made.traces.length});
  }

  function drawAll() {
    const colors = look();
    const todo = data.figures.filter((figure) => !figure.why);
    delete document.documentElement.dataset.drawn;
    const next = () => { // one at a time, so that the page can be read meanwhile
      const figure = todo.shift();
      if (!figure) return void (document.documentElement.dataset.drawn = drawn.size);
      draw(figure, colors);
      setTimeout(next);
    };
    next();
  }

  function pick(trial) {
    picked = trial;
    for (const [name, {picked: layers, from}] of drawn) {
      if (!layers.length) continue;
      const found = layers.map((each) => (trial === null ? {x: [], y: []} : each.at(trial)));
      const columns = {x: found.map((each) => each.x), y: found.map((each) => each.y)};
      Plotly.restyle($("plot-" + name), columns, layers.map((_, i) => from + i));
    }
    document.querySelectorAll("#leaders tr").forEach((row) => row.classList.toggle("picked", row.dataset.trial === String(trial)));
    showPanel();
  }

  function showPanel() {
    const panel = $("panel"), i = picked === null ? -1 : data.trials.trial.indexOf(picked);
    panel.hidden = i < 0;
    if (i < 0) return;
    const head = element("header"), nav = element("nav"), table = element("table"), trials = data.trials;
    const go = (by) => () => pick(trials.trial[(i + by + trials.trial.length) % trials.trial.length]);
    const buttons = [["‹", "Previous trial", go(-1)], ["›", "Next trial", go(1)], ["×", "Let it go", () => pick(null)]];
    for (const [text, title, onclick] of buttons) nav.append(element("button", text, {type: "button", title, ariaLabel: title, onclick}));
    head.append(element("h2", "Trial " + picked), nav);
    const score = trials.score[i] === null ? "none" : trials.score[i];
    const seeds = trials.seeds[i] + (trials.seeds[i] === 1 ? " seed" : " seeds");
    const said = element("p", `${trials.state[i]} at ${trials.step[i].toLocaleString("en")} steps, ${seeds}, score ${score}`, {className: "caption"});
    const config = data.configs[i], first = data.configs[0] || {};
    for (const [name, value] of Object.entries(config)) {
      const row = table.insertRow();
      row.className = i > 0 && String(first[name]) !== String(value) ? "changed" : "";
      row.insertCell().textContent = name;
      row.insertCell().textContent = String(value);
    }
    panel.replaceChildren(head, said, table);
    if (i > 0) panel.append(element("p", "Bold: not as in trial 0, the default.", {className: "caption"}));
  }

  function write() {
    $("title").textContent = document.title = data.title;
    $("about").textContent = data.about;
    $("summary").replaceChildren(...data.summary.map(({heading, sentences}) => {
      const part = element("div"), open = heading === "What is not established", list = element(open ? "ul" : "div");
      list.append(...sentences.map((text) => element(open ? "li" : "p", text)));
      part.append(element("h2", heading), list);
      return part;
    }));
    writeLeaders();
    const missing = data.figures.filter((figure) => figure.why);
    $("missing").hidden = !missing.length;
    const list = element("ul");
    list.append(...missing.map((figure) => element("li", `${figure.title}: ${figure.why}`)));
    $("missing").replaceChildren(element("h2", "Left out"), list);
    placeFigures();
  }

  function writeLeaders() {
    const table = element("table"), head = table.createTHead().insertRow();
    for (const text of ["trial", "score", "steps", "seeds", "state"]) head.append(element("th", text, {scope: "col"}));
    const body = table.createTBody();
    for (const trial of data.leaders) {
      const i = data.trials.trial.indexOf(trial), row = body.insertRow();
      row.dataset.trial = trial;
      row.insertCell().append(element("button", trial, {type: "button", onclick: () => pick(trial === picked ? null : trial)}));
      const cells = [data.trials.score[i], data.trials.step[i].toLocaleString("en"), data.trials.seeds[i], data.trials.state[i]];
      for (const text of cells) row.insertCell().textContent = text;
      row.classList.toggle("picked", trial === picked);
    }
    $("leaders").hidden = $("hint").hidden = !data.leaders.length;
    $("leaders").replaceChildren(element("h2", "Leading trials"), table);
  }

  function placeFigures() {
    const wanted = data.figures.filter((figure) => !figure.why);
    for (const name of [...drawn.keys()]) if (!wanted.some((figure) => figure.name === name)) {
      $("plot-" + name).closest("figure").remove();
      drawn.delete(name);
    }
    for (const figure of wanted) {
      let frame = $("figure-" + figure.name);
      if (!frame) {
        frame = element("figure", undefined, {id: "figure-" + figure.name, className: figure.wide ? "wide" : ""});
        const plot = element("div", undefined, {id: "plot-" + figure.name, className: "plot", role: "img", ariaLabel: figure.title});
        frame.append(element("h2", figure.title), element("p", figure.caption, {className: "caption"}), plot);
      }
      writeNotes(frame, data.frames[figure.name]);
      $("figures").append(frame); // in order, also where it is new
    }
  }

  function writeNotes(frame, {notes = [], sources = []} = {}) {
    frame.querySelectorAll(".notes").forEach((old) => old.remove());
    if (!notes.length) return;
    const why = element("ol", undefined, {className: "notes"}), from = element("p", sources.join("; "), {className: "notes"});
    why.append(...notes.map((text) => element("li", text)));
    frame.append(why, from);
  }

  function setTheme(name) {
    theme = name;
    if (name === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
    $("theme").textContent = "theme: " + name;
  }

  function remembered(name) { // a browser may forbid it to files
    try {
      if (name) localStorage.setItem("hyperpilot-theme", name);
      return localStorage.getItem("hyperpilot-theme");
    } catch { return null; }
  }

  async function poll() {
    try {
      const answer = await fetch("data.json?have=" + encodeURIComponent(data.version));
      if (answer.status === 200) {
        data = await answer.json();
        write();
        drawAll();
        showPanel();
      }
      $("about").textContent = data.about;
    } catch {
      $("about").textContent = data.about + " The server has gone; this is its last state.";
    }
    setTimeout(poll, POLL_MS);
  }

  let resizing = 0, width = window.innerWidth;
  window.addEventListener("resize", () => {
    clearTimeout(resizing);
    resizing = setTimeout(() => {
      if (window.innerWidth !== width) drawAll();
      width = window.innerWidth;
    }, 200);
  });
  window.addEventListener("keydown", (event) => { if (event.key === "Escape") pick(null); });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  $("theme").addEventListener("click", () => {
    setTheme(THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]);
    remembered(theme);
    drawAll();
  });
  setTheme(THEMES.includes(remembered()) ? remembered() : "auto");
  write();
  drawAll();
  if (data.live) setTimeout(poll, POLL_MS);
})();
