"use strict";
// One function a figure: from the frames to traces, a layout, and where a picked trial stands.
// It returns {traces, layout, picked}; `picked` has a trace to highlight with and `at(trial)`, its columns for a trial.

const OKABE = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#999999"]; // without vermilion, which is for what is picked

function escaped(text) {
  return String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

function mixed(look, share) {
  const [a, b, t] = share < 0.5 ? [look.low, look.middle, 2 * share] : [look.middle, look.high, 2 * share - 1];
  const part = (color, i) => parseInt(color.slice(1 + 2 * i, 3 + 2 * i), 16);
  return "rgb(" + [0, 1, 2].map((i) => Math.round(part(a, i) * (1 - t) + part(b, i) * t)).join(",") + ")";
}

const scale = (look) => [[0, look.low], [0.5, look.middle], [1, look.high]];
const short = (n) => (n >= 1e6 ? n / 1e6 + "M" : n >= 1e3 ? n / 1e3 + "k" : String(n));
const title = (text) => ({title: {text}});
const where = (values, wanted) => values.flatMap((value, i) => (value === wanted ? [i] : []));
const pickAll = (list, indices) => indices.map((i) => list[i]);

function ring(look, size, axes = {}) {
  const marker = {size, color: "rgba(0,0,0,0)", line: {color: look.picked, width: 3}};
  return {type: "scatter", mode: "markers", marker, hoverinfo: "skip", showlegend: false, ...axes};
}

function points(frame, x, y, look) {
  return {trace: ring(look, 14), at: (trial) => {
    const found = where(frame.trial, trial);
    return {x: pickAll(x, found), y: pickAll(y, found)};
  }};
}

// Many lines as one trace, with a gap after each: thousands of traces would take minutes to draw.
function joined(lines) {
  const one = {x: [], y: [], customdata: []};
  for (const line of lines) {
    for (let i = 0; i < line.x.length; i++) {
      one.x.push(line.x[i]);
      one.y.push(line.y[i]);
      one.customdata.push(line.trial);
    }
    one.x.push(null);
    one.y.push(null);
    one.customdata.push(line.trial);
  }
  return one;
}

const OFF = -0.12; // where a hyperparameter stands that a configuration does not have
const TRIAL = "trial %{customdata}<br>%{x}, %{y:.4g}<extra></extra>";

const FIGURES = {
  progress({progress: f}, look) {
    const bar = {title: {text: "trained<br> "}, thickness: 10, outlinewidth: 0, tickformat: "~s"};
    const marker = {size: 8, color: f.step, colorscale: scale(look), colorbar: bar, line: {width: 0.5, color: look.soft}};
    return {
      traces: [
        {type: "scatter", mode: "markers", x: f.spent, y: f.score, customdata: f.trial, marker, hovertemplate: TRIAL, name: "trials"},
        {type: "scatter", mode: "lines", x: f.lead.spent, y: f.lead.score, customdata: f.lead.trial, name: "leader",
          line: {shape: "hv", color: look.second, width: 2.5}, hovertemplate: "leader: " + TRIAL},
      ],
      layout: {xaxis: {...title("environment steps spent"), tickformat: "~s"}, yaxis: title("score")},
      picked: [points(f, f.spent, f.score, look)],
    };
  },

  curves({curves: f, forecasts}, look) {
    const rungs = [...new Set(f.rung)].sort((a, b) => a - b);
    const lines = f.trial.map((trial, i) => ({trial, rung: f.rung[i], x: f.steps[i], y: f.scores[i]}));
    const traces = rungs.map((rung, k) => ({
      type: "scatter", mode: "lines", ...joined(lines.filter((line) => line.rung === rung)), name: "to " + short(rung),
      line: {color: mixed(look, (k + 1) / (rungs.length + 0.001)), width: 0.9 + 0.9 * ((k + 1) / rungs.length)}, opacity: 0.85,
      hovertemplate: TRIAL,
    }));
    for (const [k, each] of (forecasts.of || []).entries()) {
      const outer = [...each.bands[0], ...[...each.bands[each.bands.length - 1]].reverse()];
      const shown = {legendgroup: "forecast", name: "forecast", hoverinfo: "skip"};
      traces.push({type: "scatter", mode: "none", x: [...each.steps, ...[...each.steps].reverse()], y: outer, fill: "toself",
        fillcolor: look.shade, showlegend: k === 0, ...shown});
      traces.push({type: "scatter", mode: "lines", x: each.steps, y: each.bands[2], customdata: each.steps.map(() => each.trial),
        line: {dash: "dot", color: look.accent, width: 2}, ...shown, showlegend: false, hoverinfo: undefined,
        hovertemplate: "forecast of " + TRIAL});
    }
    const trace = {type: "scatter", mode: "lines+markers", line: {color: look.picked, width: 3}, marker: {size: 4, color: look.picked},
      hoverinfo: "skip", showlegend: false};
    const at = (trial) => joined(where(f.trial, trial).map((i) => lines[i]));
    return {traces, layout: {height: 460, xaxis: {...title("environment steps"), tickformat: "~s", range: [0, f.horizon * 1.02]},
      yaxis: title("score")}, picked: [{trace, at}]};
  },

  parallel({parallel: f}, look, width) {
    const shown = f.axes.slice(0, Math.max(4, Math.floor(width / 92)));
    const line = (i) => ({trial: f.trial[i], x: shown.map((_, a) => a), y: shown.map((axis) => f.places[axis.name][i] ?? OFF)});
    const order = f.score.map((_, i) => i).sort((a, b) => f.score[a] - f.score[b]);
    const bins = 5, traces = [];
    for (let k = 0; k < bins; k++) {
      const part = order.slice(Math.floor(k * order.length / bins), Math.floor((k + 1) * order.length / bins));
      if (!part.length) continue;
      const [low, high] = [f.score[part[0]], f.score[part[part.length - 1]]].map((score) => score.toPrecision(3) * 1);
      traces.push({type: "scatter", mode: "lines+markers", ...joined(part.map(line)), connectgaps: false, marker: {size: 3},
        line: {color: mixed(look, k / (bins - 1)), width: 0.8 + k * 0.35}, opacity: 0.45 + 0.13 * k,
        name: low + " to " + high, hovertemplate: "trial %{customdata}<extra></extra>"});
    }
    const shapes = shown.map((_, a) => ({type: "line", x0: a, x1: a, y0: 0, y1: 1, line: {color: look.soft, width: 1}, layer: "below"}));
    const annotations = shown.flatMap((axis, a) => axis.ticks.map((y, i) => ({x: a, y, text: escaped(axis.labels[i]), showarrow: false,
      xanchor: "left", xshift: 4, borderpad: 0, bgcolor: look.card, opacity: 0.85, font: {size: 10, color: look.ink}})));
    const trace = {type: "scatter", mode: "lines+markers", line: {color: look.picked, width: 3.5}, marker: {size: 6, color: look.picked},
      hoverinfo: "skip", showlegend: false};
    const off = shown.map((axis) => f.places[axis.name].includes(null));
    off.forEach((some, a) => some && annotations.push({x: a, y: OFF, text: "none", showarrow: false, xanchor: "left", xshift: 4,
      bgcolor: look.card, opacity: 0.85, font: {size: 10, color: look.soft}}));
    const names = shown.map((axis) => axis.name.replace(/([._])/g, "$1\u200b"));
    return {traces, picked: [{trace, at: (trial) => joined(where(f.trial, trial).map(line))}], layout: {height: 440, shapes, annotations,
      xaxis: {tickvals: shown.map((_, a) => a), ticktext: names.map(escaped), range: [-0.15, shown.length - 0.4], showgrid: false,
        zeroline: false, tickangle: width < 700 ? -40 : -20, automargin: true},
      yaxis: {visible: false, range: [off.includes(true) ? -0.18 : -0.06, 1.06]}}};
  },

  slices({parallel: f, slices}, look, width) {
    const chosen = slices.of ? slices.axes : f.axes.slice(0, 6);
    const columns = width < 560 ? 1 : width < 900 ? 2 : 3;
    const layout = {...gridded(chosen.length, columns, 210, width), showlegend: false};
    const traces = [], picked = [];
    const size = f.share.map((share) => 4 + 5 * share);
    chosen.forEach((axis, k) => {
      const axes = {xaxis: "x" + (k + 1), yaxis: "y" + (k + 1)}, of = slices.of && slices.of[axis.name], x = f.places[axis.name];
      if (of) {
        const place = of.places[0];
        traces.push({type: "scatter", mode: "none", x: [...place, ...[...place].reverse()], y: [...of.high, ...[...of.low].reverse()],
          fill: "toself", fillcolor: look.shade, hoverinfo: "skip", ...axes});
        traces.push({type: "scatter", mode: "lines", x: place, y: of.mean, line: {color: look.accent, width: 2.5}, hoverinfo: "skip", ...axes});
      }
      traces.push({type: "scatter", mode: "markers", x, y: f.score, customdata: f.trial, hovertemplate: "trial %{customdata}: %{y:.4g}<extra></extra>",
        marker: {size, color: look.soft, opacity: 0.65}, ...axes});
      picked.push({trace: ring(look, 13, axes), at: points(f, x, f.score, look).at});
      layout["xaxis" + (k + 1)] = {...layout["xaxis" + (k + 1)], ...ticked(axis, width / columns < 420 ? 3 : 5), ...title(escaped(axis.name))};
      if (k % columns === 0) layout["yaxis" + (k + 1)].title = {text: "score"};
    });
    return {traces, layout, picked};
  },

  surfaces({surfaces: f, parallel}, look, width) {
    const columns = width < 700 ? 1 : 2;
    const layout = {...gridded(2 * f.of.length, columns, 320, width, 0.13), showlegend: false}, traces = [], picked = [];
    f.of.forEach((of, p) => [0, 1].forEach((second) => {
      const k = 2 * p + second, axes = {xaxis: "x" + (k + 1), yaxis: "y" + (k + 1)}, [down, across] = of.names;
      const z = second ? of.high.map((row, i) => row.map((high, j) => high - of.low[i][j])) : of.mean;
      const [x, y] = [layout["xaxis" + (k + 1)].domain, layout["yaxis" + (k + 1)].domain];
      traces.push({type: "heatmap", x: of.places[1], y: of.places[0], z, ...axes, colorscale: second ? scale(look) : "Viridis",
        hovertemplate: (second ? "interval %{z:.4g} wide" : "score %{z:.4g}") + "<extra></extra>",
        colorbar: {thickness: 8, outlinewidth: 0, x: x[1] + 0.01, y: (y[0] + y[1]) / 2, len: y[1] - y[0],
          title: {text: second ? "width" : "score"}}});
      traces.push({type: "scatter", mode: "markers", x: parallel.places[across], y: parallel.places[down], customdata: parallel.trial, ...axes,
        marker: {size: 5, color: "#ffffff", line: {color: "#222222", width: 1}}, hovertemplate: "trial %{customdata}<extra></extra>"});
      picked.push({trace: ring(look, 14, axes), at: points(parallel, parallel.places[across], parallel.places[down], look).at});
      layout["xaxis" + (k + 1)] = {...layout["xaxis" + (k + 1)], ...ticked(f.axes[across], width / columns < 420 ? 3 : 5), ...title(escaped(across))};
      layout["yaxis" + (k + 1)] = {...layout["yaxis" + (k + 1)], ...ticked(f.axes[down], 5), ...title(escaped(down)), automargin: true};
    }));
    return {traces, layout, picked};
  },

  importance({importance: f}, look) {
    const rows = [
      ...f.name.slice(0, 8).map((name, i) => ({name: escaped(name), kind: 0, mean: f.mean[i], low: f.low[i], high: f.high[i]})),
      ...f.pair.slice(0, 5).map((pair, i) => ({name: pair.map(escaped).join(" ×<br>"), kind: 1, mean: f.pair_mean[i], low: f.pair_low[i],
        high: f.pair_high[i]})),
    ].reverse();
    const positive = (value) => Math.max(0, value);
    const traces = [0, 1].map((kind) => {
      const mine = rows.filter((row) => row.kind === kind);
      return {type: "bar", orientation: "h", y: mine.map((row) => row.name), x: mine.map((row) => positive(row.mean)),
        name: kind ? "two, beyond that" : "alone", marker: {color: kind ? look.second : look.accent, opacity: 0.75},
        error_x: {type: "data", symmetric: false, array: mine.map((row) => row.high - positive(row.mean)),
          arrayminus: mine.map((row) => positive(row.mean) - positive(row.low)), color: look.ink, thickness: 1.2, width: 3},
        hovertemplate: "%{y}: %{x:.1%}<extra></extra>"};
    });
    return {traces, picked: [], layout: {height: 480, xaxis: {...title("share of the variance"), tickformat: ".0%", rangemode: "tozero"},
      yaxis: {automargin: true, categoryorder: "array", categoryarray: rows.map((row) => row.name), tickfont: {size: 11}}}};
  },

  interactions({importance: f}, look, width) {
    const names = [...new Set([...f.name.slice(0, 6), ...f.pair.flat()])].slice(0, 14), most = Math.max(...f.pair_mean, 1e-9);
    const at = new Map(names.map((name, i) => [name, 2 * Math.PI * i / names.length]));
    const traces = f.pair.flatMap(([a, b], i) => (f.pair_mean[i] <= 0 || !at.has(a) || !at.has(b) ? [] : [{
      type: "scatter", mode: "lines", x: [a, b].map((n) => Math.cos(at.get(n))), y: [a, b].map((n) => Math.sin(at.get(n))),
      line: {width: 1 + 9 * f.pair_mean[i] / most, color: f.pair_low[i] > 0.01 ? look.second : look.line}, hoverinfo: "skip", showlegend: false,
    }]));
    const share = new Map(f.name.map((name, i) => [name, Math.max(0, f.mean[i])]));
    const x = names.map((n) => Math.cos(at.get(n))), y = names.map((n) => Math.sin(at.get(n)));
    traces.push({type: "scatter", mode: "markers", x, y, customdata: names.map((n) => [escaped(n), share.get(n)]), showlegend: false,
      marker: {size: names.map((n) => 10 + 60 * Math.sqrt(share.get(n))), color: look.accent, opacity: 0.9, line: {color: look.card, width: 1}},
      hovertemplate: "%{customdata[0]}: %{customdata[1]:.1%} alone<extra></extra>", meta: "names"});
    const annotations = names.map((name, i) => ({x: 1.16 * x[i], y: 1.16 * y[i], text: escaped(name), showarrow: false, font: {size: 11},
      xanchor: x[i] > 0.3 ? "left" : x[i] < -0.3 ? "right" : "center"}));
    const reach = width < 480 ? 2.5 : 1.9, bare = {visible: false, range: [-reach, reach]};
    return {traces, picked: [], layout: {height: 480, annotations, xaxis: bare, yaxis: {visible: false, range: [-1.35, 1.35]},
      margin: {l: 4, r: 4, t: 8, b: 8}}};
  },

  rungs({rungs: f}, look) {
    const steps = [...new Set([...f.early, ...f.late])].sort((a, b) => a - b);
    const cell = (pick) => steps.map((late) => steps.map((early) => {
      const i = f.early.findIndex((e, k) => e === early && f.late[k] === late);
      return i < 0 ? null : pick(i);
    }));
    const said = cell((i) => `${f.value[i].toFixed(2)} (${f.low[i].toFixed(2)} to ${f.high[i].toFixed(2)}), ${f.n[i]} trainings`);
    const text = cell((i) => f.value[i].toFixed(2));
    return {picked: [], traces: [{type: "heatmap", x: steps.map(short), y: steps.map(short), z: cell((i) => f.value[i]), text: text.map((r) => r.map((t) => t || "")),
      texttemplate: "%{text}", customdata: said, zmin: -1, zmax: 1, colorscale: [[0, "#b35806"], [0.5, look.card], [1, "#0072b2"]],
      hovertemplate: "%{x} to %{y}: %{customdata}<extra></extra>", hoverongaps: false, xgap: 2, ygap: 2,
      colorbar: {thickness: 10, outlinewidth: 0, title: {text: "rank<br>correlation"}}}],
    layout: {height: 400, xaxis: {...title("earlier rung"), type: "category"}, yaxis: {...title("later rung"), type: "category"}}};
  },

  transfer({transfer: f}, look) {
    const flat = f.trial.flatMap((trial, i) => f.scores[i].map((score) => ({trial, x: f.tuning[i], y: score})));
    const all = [...flat.map((p) => p.y), ...f.tuning.filter((v) => v !== null)];
    const ends = [Math.min(...all), Math.max(...all)], width = (ends[1] - ends[0]) * 0.06 || 1;
    return {traces: [
      {type: "scatter", mode: "lines", x: ends, y: ends, line: {dash: "dot", color: look.soft, width: 1}, name: "as in tuning", hoverinfo: "skip"},
      {type: "scatter", mode: "markers", x: flat.map((p) => p.x), y: flat.map((p) => p.y), customdata: flat.map((p) => p.trial), name: "a test seed",
        marker: {size: 6, color: look.soft, opacity: 0.6}, hovertemplate: TRIAL},
      {type: "scatter", mode: "markers+text", x: f.tuning, y: f.iqm, customdata: f.trial, text: f.trial.map(String), textposition: "top center",
        name: "interquartile mean", marker: {size: 12, symbol: "diamond", color: look.accent}, hovertemplate: TRIAL},
    ], layout: {xaxis: {...title("last score while tuning"), range: [ends[0] - width, ends[1] + width]},
      yaxis: {...title("score in the test"), range: [ends[0] - width, ends[1] + 2 * width]}}, picked: [points(f, f.tuning, f.iqm, look)]};
  },

  seeds({seeds: f}, look) {
    const name = (trial) => "trial " + trial, order = [...new Set(f.trial)].reverse();
    const traces = ["search", "test"].map((phase, k) => {
      const mine = where(f.phase, phase);
      return {type: "scatter", mode: "markers", y: pickAll(f.trial, mine).map(name), x: pickAll(f.score, mine), customdata: pickAll(f.trial, mine),
        text: pickAll(f.seed, mine).map(String), name: phase, marker: {size: 10, symbol: k ? "diamond" : "circle-open", color: k ? look.second : look.accent, opacity: 0.85,
          line: {width: 2}}, hovertemplate: "%{y}, seed %{text}: %{x:.4g}<extra></extra>"};
    });
    return {traces, layout: {height: Math.max(300, 130 + 22 * order.length), xaxis: title("last score"),
      yaxis: {type: "category", categoryorder: "array", categoryarray: order.map(name), automargin: true}},
    picked: [{trace: ring(look, 15), at: (trial) => {
      const found = where(f.trial, trial);
      return {x: pickAll(f.score, found), y: found.map(() => name(trial))};
    }}]};
  },

  front({front: f}, look, width) {
    const pairs = f.names.flatMap((_, i) => f.names.slice(i + 1).map((_, j) => [i, i + 1 + j])), several = pairs.length > 1;
    const columns = several && width >= 560 ? 2 : 1, layout = gridded(pairs.length, columns, 320, width, 0.13), traces = [], picked = [];
    const sides = f.names.map((name, i) => escaped(name) + (f.less[i] && width > 480 ? " (less is better)" : ""));
    pairs.forEach(([up, across], k) => {
      const axes = {xaxis: "x" + (k + 1), yaxis: "y" + (k + 1)}, [x, y] = [f.values[across], f.values[up]];
      const best = where(f.best, true).sort((a, b) => x[a] - x[b]);
      traces.push({type: "scatter", mode: "markers", x, y, customdata: f.trial, name: "trials", showlegend: k === 0, ...axes,
        marker: {size: 8, color: look.soft, opacity: 0.6}, hovertemplate: TRIAL});
      traces.push({type: "scatter", mode: several ? "markers" : "lines+markers", x: pickAll(x, best), y: pickAll(y, best), showlegend: k === 0,
        customdata: pickAll(f.trial, best), name: "no other is better in all", marker: {size: 9, color: look.accent}, ...axes,
        line: {shape: f.less[across] ? "hv" : "vh", color: look.accent, width: 2}, hovertemplate: TRIAL});
      picked.push({trace: ring(look, 14, axes), at: points(f, x, y, look).at});
      Object.assign(layout["xaxis" + (k + 1)], title(sides[across]));
      Object.assign(layout["yaxis" + (k + 1)], title(sides[up]), {automargin: true});
    });
    return {traces, layout, picked};
  },

  exploration({exploration: f}, look, width) {
    const columns = width < 700 ? 1 : 2, layout = {...gridded(2, columns, 330, width, 0.1), showlegend: false}, second = {xaxis: "x2", yaxis: "y2"};
    const lines = [f.trial.map((trial, i) => ({trial, x: f.steps[i], y: f.coverage[i]})), f.trial.map((trial, i) => ({trial, x: f.entropy[i], y: f.value[i]}))];
    const start = (line) => line.x.findIndex((x, i) => x !== null && line.y[i] !== null);
    const begun = lines[1].filter((line) => start(line) >= 0);
    Object.assign(layout.xaxis1, title("environment steps"), {tickformat: "~s"});
    Object.assign(layout.yaxis1, title("different states visited"), {rangemode: "tozero", tickformat: "~s"});
    Object.assign(layout.xaxis2, title("entropy of the policy, in nats"), {autorange: "reversed"});
    Object.assign(layout.yaxis2, title("mean return"));
    const line = {color: look.accent, width: 1.2}, at = (of) => (trial) => joined(of.filter((each) => each.trial === trial));
    const bold = {type: "scatter", mode: "lines", line: {color: look.picked, width: 3}, hoverinfo: "skip", showlegend: false};
    return {layout, traces: [
      {type: "scatter", mode: "lines", ...joined(lines[0]), line, opacity: 0.7, hovertemplate: TRIAL},
      {type: "scatter", mode: "lines", ...joined(lines[1]), line, opacity: 0.7, hovertemplate: TRIAL, ...second},
      {type: "scatter", mode: "markers", x: begun.map((each) => each.x[start(each)]), y: begun.map((each) => each.y[start(each)]),
        customdata: begun.map((each) => each.trial), marker: {size: 6, symbol: "circle-open", color: look.second}, hovertemplate: TRIAL, ...second},
    ], picked: [{trace: bold, at: at(lines[0])}, {trace: {...bold, ...second}, at: at(lines[1])}]};
  },

  lineage({lineage: f}, look) {
    const bar = (i) => ({trial: f.trial[i], x: [f.start[i], (f.start[i] + f.end[i]) / 2, f.end[i]], y: [i, i, i]});
    const link = (k) => ({trial: f.trial[f.below[k]], x: [f.step[k], f.step[k]], y: [f.above[k], f.below[k]]});
    const every = f.trial.map((_, i) => i), links = f.step.map((_, k) => k), style = {type: "scatter", mode: "lines", hovertemplate: "trial %{customdata}, %{x:,} steps<extra></extra>"};
    const marker = {size: 9, color: f.score, colorscale: scale(look), line: {width: 0.5, color: look.soft}, colorbar: {title: {text: "score<br> "}, thickness: 10, outlinewidth: 0}};
    const of = (lanes) => joined([...lanes.map(bar), ...links.filter((k) => lanes.includes(f.below[k])).map(link)]);
    const trace = {type: "scatter", mode: "lines", line: {color: look.picked, width: 4}, hoverinfo: "skip", showlegend: false};
    return {traces: [
      {...style, ...joined(every.map(bar)), name: "a training", line: {color: look.soft, width: 2}},
      {...style, ...joined(links.map(link)), name: "takes over", line: {color: look.soft, width: 1, dash: "dot"}},
      {...style, ...of(every.filter((i) => f.chosen[i])), name: "the foremost", line: {color: look.second, width: 4}},
      {type: "scatter", mode: "markers", x: f.end, y: every, customdata: f.trial, marker, name: "its end", showlegend: false, hovertemplate: "trial %{customdata}, %{x:,} steps<extra></extra>"},
    ], layout: {height: Math.max(260, 130 + 20 * every.length), xaxis: {...title("environment steps"), tickformat: "~s"},
      yaxis: {...title("trial"), tickvals: every, ticktext: f.trial.map(String), range: [every.length - 0.5, -0.5], showgrid: false, zeroline: false}},
    picked: [{trace, at: (trial) => of(f.lines[trial] || [])}]};
  },

  published({published: f}, look, width) {
    const rows = f.name.map((_, i) => i), slim = width < 560, cut = (text) => (slim && text.length > 24 ? text.slice(0, 23) + "…" : text);
    const said = (i) => escaped(cut(f.name[i])) + (slim ? "" : `  [${f.numbers[i].join(", ")}]`), known = rows.filter((i) => f.ours[i] !== null);
    const reach = {type: "data", symmetric: false, array: known.map((i) => (f.high[i] ?? f.ours[i]) - f.ours[i]), thickness: 1.5, width: 4, color: look.second,
      arrayminus: known.map((i) => f.ours[i] - (f.low[i] ?? f.ours[i]))};
    return {picked: [], traces: [
      {type: "scatter", mode: "markers", x: f.mean, y: rows, name: "published", marker: {size: 9, color: look.accent}, customdata: f.numbers.map(String),
        error_x: {type: "data", array: f.std, thickness: 1.2, width: 4, color: look.accent}, text: f.name.map(escaped),
        hovertemplate: "%{text}<br>%{x:.4g}; notes %{customdata}<extra></extra>"},
      {type: "scatter", mode: "markers", x: pickAll(f.ours, known), y: known.map((i) => i + 0.25), name: "ours, after as many steps", error_x: reach,
        marker: {size: 10, symbol: known.map((i) => (f.how[i] === "extrapolated" ? "diamond-open" : "diamond")), color: look.second},
        text: pickAll(f.how, known), hovertemplate: "ours: %{x:.4g}, %{text}<extra></extra>"},
      {type: "scatter", mode: "lines", x: [f.final, f.final], y: [-0.6, rows.length - 0.4], name: "ours, after " + short(f.final_steps),
        line: {dash: "dot", color: look.second, width: 1.5}, hoverinfo: "skip"},
    ], layout: {height: Math.max(260, 120 + 26 * rows.length), xaxis: title("mean return"),
      yaxis: {tickvals: rows, ticktext: rows.map(said), range: [rows.length - 0.4, -0.6], zeroline: false, tickfont: {size: 11}}}};
  },

  budget({budget: f}, look) {
    const order = f.use.map((_, i) => i).reverse(), searching = f.use.filter((use) => use.startsWith("search")).length;
    const special = {"further seeds": OKABE[1], "failed trainings": OKABE[3], test: look.second, "not spent": look.line};
    const color = f.use.map((use, i) => special[use] || mixed(look, (i + 1) / (searching + 0.001)));
    return {picked: [], traces: [{type: "bar", orientation: "h", x: pickAll(f.steps, order), y: pickAll(f.use, order), marker: {color: pickAll(color, order)},
      customdata: pickAll(f.steps, order).map((n) => n / f.total), hovertemplate: "%{y}: %{x:,} steps, %{customdata:.1%}<extra></extra>"}],
    layout: {height: Math.max(300, 110 + 24 * f.use.length), showlegend: false, xaxis: {...title("environment steps"), tickformat: "~s"}, yaxis: {automargin: true}}};
  },

  timeline({timeline: f}, look) {
    const kind = f.ending.map((ending, i) => (ending === "finished" || ending === "running" ? (ending === "running" ? "running" : f.phase[i]) : "failed"));
    const colors = {search: look.accent, test: look.second, failed: OKABE[3], running: OKABE[1]};
    const line = (i) => ({trial: f.trial[i], x: [f.start[i], (f.start[i] + f.end[i]) / 2, f.end[i]], y: [1, 1, 1].map((n) => f.lane[i] + n)});
    const width = Math.max(6, Math.min(22, 150 / f.workers));
    const traces = Object.keys(colors).filter((name) => kind.includes(name)).map((name) => ({type: "scatter", mode: "lines", name,
      ...joined(where(kind, name).map(line)), line: {width, color: colors[name]}, opacity: 0.75, hovertemplate: "trial %{customdata}, at %{x:.4g} s<extra></extra>"}));
    const shapes = f.pauses.map((x) => ({type: "line", x0: x, x1: x, yref: "paper", y0: 0, y1: 1, line: {color: look.soft, dash: "dash", width: 1}}));
    const trace = {type: "scatter", mode: "lines", line: {width: width + 4, color: look.picked}, hoverinfo: "skip", showlegend: false};
    return {traces, layout: {height: Math.max(240, 150 + (width + 8) * f.workers), shapes, xaxis: {...title("seconds of work"), rangemode: "tozero"},
      yaxis: {...title("worker"), tickvals: f.workers <= 16 ? [...Array(f.workers).keys()].map((n) => n + 1) : undefined,
        range: [0.4, f.workers + 0.6], showgrid: false}}, picked: [{trace, at: (trial) => joined(where(f.trial, trial).map(line))}]};
  },

  calibration({calibration: f}, look, width) {
    const columns = width < 560 ? 1 : 2, layout = {...gridded(2, columns, 300, width), showlegend: false};
    const bins = Array(10).fill(0);
    for (const pit of f.pit) bins[Math.min(9, Math.floor(10 * pit))]++;
    const even = f.pit.length / 10, axes = {xaxis: "x2", yaxis: "y2"};
    Object.assign(layout.xaxis1, title("where the score fell in its forecast"), {range: [0, 1]});
    Object.assign(layout.yaxis1, title("scores"), {rangemode: "tozero"});
    Object.assign(layout.xaxis2, title("share that an interval should hold"), {range: [0, 1], tickformat: ".0%"});
    Object.assign(layout.yaxis2, title("share that it held"), {range: [0, 1], tickformat: ".0%"});
    return {layout, traces: [
      {type: "bar", x: bins.map((_, i) => (i + 0.5) / 10), y: bins, width: 0.094, marker: {color: look.accent, opacity: 0.75}, hovertemplate: "%{y} scores<extra></extra>"},
      {type: "scatter", mode: "lines", x: [0, 1], y: [even, even], line: {dash: "dot", color: look.soft}, hoverinfo: "skip"},
      {type: "scatter", mode: "markers", x: f.pit, y: f.pit.map(() => 0), customdata: f.trial, marker: {symbol: "line-ns-open", size: 9, color: look.soft},
        hovertemplate: "trial %{customdata}: %{x:.2f}<extra></extra>", cliponaxis: false},
      {type: "scatter", mode: "lines", x: [0, 1], y: [0, 1], line: {dash: "dot", color: look.soft}, hoverinfo: "skip", ...axes},
      {type: "scatter", mode: "lines+markers", x: f.levels, y: f.covered, line: {color: look.accent, width: 2.5}, marker: {size: 7}, hovertemplate: "%{x:.0%}: %{y:.0%}<extra></extra>", ...axes},
    ], picked: [{trace: {...ring(look, 14), cliponaxis: false}, at: points(f, f.pit, f.pit.map(() => 0), look).at}]};
  },
};

// Axes of several small figures in one, row by row.
function gridded(n, columns, height, width, gap = 0.07) {
  const rows = Math.ceil(n / columns), layout = {height: rows * height + 40};
  const space = Math.min(0.3 / rows, 95 / layout.height), cell = (1 - gap * (columns - 1)) / columns, tall = (1 - space * (rows - 1)) / rows;
  for (let k = 0; k < n; k++) {
    const [row, column] = [Math.floor(k / columns), k % columns], left = column * (cell + gap), top = 1 - row * (tall + space);
    layout["xaxis" + (k + 1)] = {domain: [left, Math.min(1, left + cell)], anchor: "y" + (k + 1)};
    layout["yaxis" + (k + 1)] = {domain: [Math.max(0, top - tall), top], anchor: "x" + (k + 1)};
  }
  return layout;
}

// Ticks at the places of a hyperparameter's axis, of which so many fit.
function ticked(axis, most) {
  const every = Math.ceil(axis.ticks.length / most), kept = axis.ticks.map((_, i) => i).filter((i) => i % every === 0);
  return {tickvals: pickAll(axis.ticks, kept), ticktext: pickAll(axis.labels, kept).map(escaped), range: [-0.05, 1.05], zeroline: false, tickangle: 0};
}
