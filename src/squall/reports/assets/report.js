"use strict";
// What the page can do more with a script: one cursor over all charts of time, the values at it, zoom, and series
// that can be hidden. All that is drawn was drawn before; here it is only moved, stretched and read.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const MISSING = "not measured";
  const hidden = new Set(); // "figure id/line"
  const state = {from: 0, to: 1, at: null}; // shares of the time axis; `at` is a time in seconds
  let data = {axes: [], series: {}};
  let bar = null;

  const figures = () => [...document.querySelectorAll("figure.plot")];
  const overTime = (figure) => figure.dataset.xUnit === "s";
  const charts = () => figures().filter(overTime);
  const limit = (value, low, high) => Math.min(high, Math.max(low, value));

  // --- figures as text: what squall.charts.quantities does ---

  const digits = (value, count = 3) => {
    if (!value) return "0";
    const rounded = Number(value.toPrecision(count));
    return rounded.toLocaleString("en-US", {maximumFractionDigits: 9});
  };
  const scaled = (value, steps, base) => {
    for (const [name, size] of steps) if (Math.abs(value) >= 0.9995 * size) return `${digits(value / size)} ${name}`;
    return `${digits(value)}${base}`;
  };
  const clock = (at, places = 0) => {
    const whole = Number(at.toFixed(places));
    const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
    const seconds = (whole % 60).toFixed(places).padStart(places ? 3 + places : 2, "0");
    return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}` : `${minutes}:${seconds}`;
  };
  const quantity = (value, unit) => {
    if (value === null || value === undefined) return MISSING;
    const size = Math.abs(value);
    if (unit === "ms") {
      if (size >= 119500) return `${digits(value / 60000)} min`;
      if (size >= 999.5) return `${digits(value / 1000)} s`;
      return size > 0 && size < 0.09995 ? `${digits(value * 1000)} µs` : `${digits(value)} ms`;
    }
    if (unit === "s") return clock(value);
    if (unit === "bytes" || unit === "bytes/s")
      return scaled(value, [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]], " B") + unit.slice(5);
    if (unit === "share" || unit === "quantile") return `${digits(value * 100, value < 0.999 ? 3 : 7)} %`;
    const text = size >= 999500 ? scaled(value, [["G", 1e9], ["M", 1e6]], "") : digits(value, Number.isInteger(value) ? 6 : 3);
    return text + (unit === "/s" ? "/s" : unit === "cores" ? " cores" : "");
  };

  // --- from a place on a chart to a value of its axis, and back ---

  const nines = (share) => -Math.log10(Math.max(1 - share, 1e-12));
  const ends = (figure) => [Number(figure.dataset.x0), Number(figure.dataset.x1)];
  const valueAt = (figure, share) => {
    const [first, last] = ends(figure);
    if (figure.dataset.xKind !== "nines") return first + share * (last - first);
    return 1 - 10 ** -(nines(first) + share * (nines(last) - nines(first)));
  };
  const shareOf = (figure, value) => {
    const [first, last] = ends(figure);
    if (figure.dataset.xKind !== "nines") return (value - first) / (last - first || 1);
    return (nines(value) - nines(first)) / (nines(last) - nines(first) || 1);
  };
  const nearest = (axis, value) => {
    let low = 0, high = axis.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (axis[middle] < value) low = middle + 1; else high = middle;
    }
    return low > 0 && value - axis[low - 1] < axis[low] - value ? low - 1 : low;
  };
  const readAt = (key, value) => {
    const series = data.series[key];
    if (!series || !series.y.length) return null;
    const axis = data.axes[series.x], index = nearest(axis, value);
    const grain = axis.length > 1 ? (axis[axis.length - 1] - axis[0]) / (axis.length - 1) : Infinity;
    if (Math.abs(axis[index] - value) > 2.5 * grain) return null;
    return {mean: series.y[index], least: series.l && series.l[index], most: series.h && series.h[index]};
  };
  // A point may stand for several seconds: then the least and the greatest of them are said beside their mean.
  const reading = (found, unit) => {
    if (!found) return MISSING;
    const mean = quantity(found.mean, unit);
    const beside = [["least", found.least], ["most", found.most]]
      .filter(([, value]) => value !== null && value !== undefined)
      .map(([word, value]) => [word, quantity(value, unit)])
      .filter(([, text]) => text !== mean)
      .map(([word, text]) => `${word} ${text}`);
    return beside.length ? `${mean} (${beside.join(", ")})` : mean;
  };

  // --- the cursor and its values ---

  function show(figure, value) {
    const window = overTime(figure) ? state : {from: 0, to: 1};
    const line = figure.querySelector(".cursor");
    const share = value === null ? -1 : (shareOf(figure, value) - window.from) / (window.to - window.from);
    line.setAttribute("visibility", share < 0 || share > 1 ? "hidden" : "visible");
    line.setAttribute("x1", `${100 * share}%`);
    line.setAttribute("x2", `${100 * share}%`);
    for (const item of figure.querySelectorAll(".legend li")) {
      const series = figure.querySelector(`g.series[data-line="${item.dataset.line}"]`);
      const key = series && series.dataset.series;
      const text = value === null ? "" : key ? reading(readAt(key, value), figure.dataset.unit) : MISSING;
      item.querySelector(".value").textContent = text;
    }
  }
  function moveTo(figure, value, heard = false) {
    if (!overTime(figure)) {
      show(figure, value);
    } else {
      state.at = value;
      for (const each of charts()) show(each, value);
    }
    tell();
    if (!heard) return;
    const values = [...figure.querySelectorAll(".legend li:not(.off)")].map(
      (item) => ["label", ".value"].map((part) => item.querySelector(part).textContent.trim()).join(" "));
    const at = figure.dataset.xUnit === "s" ? clock(value, 1) : quantity(value, figure.dataset.xUnit);
    document.getElementById("heard").textContent = `${at}: ${values.join(", ")}`;
  }
  function tell() {
    const [from, to] = [state.from, state.to].map((share) => (charts().length ? valueAt(charts()[0], share) : 0));
    const window = state.from > 0 || state.to < 1 ? `${clock(from)}–${clock(to)}` : "whole run";
    bar.querySelector("output").textContent = state.at === null ? window : `at ${clock(state.at)} · ${window}`;
  }

  // --- zoom: the plots are stretched, the words moved ---

  const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400];
  function zoom(from, to) {
    const width = limit(to - from, 1e-5, 1);
    state.from = limit(from, 0, 1 - width);
    state.to = state.from + width;
    charts().forEach(stretch);
    if (state.at !== null) for (const each of charts()) show(each, state.at);
    tell();
  }
  function stretch(figure) {
    const width = state.to - state.from;
    const plot = figure.querySelector("svg.data"), height = plot.getAttribute("height");
    plot.setAttribute("viewBox", `${1000 * state.from} 0 ${1000 * width} ${height}`);
    for (const word of figure.querySelectorAll(".at")) {
      const share = (Number(word.dataset.at) - state.from) / width;
      word.setAttribute("x", `${100 * share}%`);
      word.setAttribute("visibility", share < -1e-6 || share > 1.000001 ? "hidden" : "visible");
    }
    const ticks = figure.querySelector(".ticks");
    if (!ticks) return;
    if (ticks.first === undefined) ticks.first = ticks.innerHTML;
    if (width >= 1) { ticks.innerHTML = ticks.first; return; }
    const [first, last] = [valueAt(figure, state.from), valueAt(figure, state.to)];
    const step = STEPS.find((each) => each >= (last - first) / 6) || 172800;
    ticks.replaceChildren();
    for (let number = Math.ceil(first / step); number * step <= last; number++) {
      const word = document.createElementNS(SVG, "text");
      word.setAttribute("class", "tick mid");
      word.setAttribute("x", `${(100 * (number * step - first)) / (last - first)}%`);
      word.setAttribute("y", Number(height) + 17);
      word.textContent = clock(number * step, step < 1 ? 1 : 0);
      ticks.append(word);
    }
  }
  function zoomBy(factor) {
    const figure = charts()[0];
    if (!figure) return;
    const middle = state.at === null ? (state.from + state.to) / 2 : limit(shareOf(figure, state.at), state.from, state.to);
    zoom(middle - (middle - state.from) * factor, middle + (state.to - middle) * factor);
  }

  // --- what a chart answers to ---

  function placeOf(figure, event) {
    const box = figure.querySelector("svg.chart").getBoundingClientRect();
    return limit((event.clientX - box.left) / box.width, 0, 1);
  }
  function listen(figure) {
    const picture = figure.querySelector("svg.chart");
    const window = () => (overTime(figure) ? state : {from: 0, to: 1});
    const valueUnder = (event) => valueAt(figure, window().from + placeOf(figure, event) * (window().to - window().from));
    let start = null;
    const box = document.createElementNS(SVG, "rect");
    box.setAttribute("class", "drag");
    box.setAttribute("height", "100%");
    picture.addEventListener("pointermove", (event) => {
      moveTo(figure, valueUnder(event));
      if (start === null) return;
      const ends = [start, placeOf(figure, event)].sort((one, other) => one - other);
      box.setAttribute("x", `${100 * ends[0]}%`);
      box.setAttribute("width", `${100 * (ends[1] - ends[0])}%`);
      picture.append(box);
    });
    picture.addEventListener("pointerdown", (event) => {
      if (event.button === 0 && event.pointerType === "mouse" && overTime(figure)) {
        start = placeOf(figure, event);
        picture.setPointerCapture(event.pointerId);
      }
    });
    const stop = (event) => {
      box.remove();
      if (start === null) return;
      const [one, other] = [start, placeOf(figure, event)].sort((a, b) => a - b), width = state.to - state.from;
      start = null;
      if (event.type === "pointerup" && other - one > 0.01) zoom(state.from + one * width, state.from + other * width);
    };
    picture.addEventListener("pointerup", stop);
    picture.addEventListener("pointercancel", stop);
    picture.addEventListener("dblclick", () => overTime(figure) && zoom(0, 1));
    picture.addEventListener("keydown", (event) => key(figure, event));
  }
  function key(figure, event) {
    const window = overTime(figure) ? state : {from: 0, to: 1};
    const step = (window.to - window.from) / (event.shiftKey ? 10 : 100);
    const shown = figure.shown === undefined ? (overTime(figure) ? state.at : null) : figure.shown;
    const place = shown === null || shown === undefined ? (window.from + window.to) / 2 : shareOf(figure, shown);
    const moves = {ArrowLeft: place - step, ArrowRight: place + step, Home: 0, End: 1};
    if (event.key in moves) {
      const to = limit(moves[event.key], 0, 1), value = valueAt(figure, to);
      if (!overTime(figure)) figure.shown = value;
      else if (to < state.from || to > state.to) zoom(to - (state.to - state.from) / 2, to + (state.to - state.from) / 2);
      moveTo(figure, value, true);
    } else if (event.key === "+" || event.key === "=") zoomBy(0.5);
    else if (event.key === "-") zoomBy(2);
    else if (event.key === "0" || event.key === "Escape") zoom(0, 1);
    else return;
    event.preventDefault();
  }
  function hide(figure, number, off) {
    const series = figure.querySelector(`g.series[data-line="${number}"]`);
    if (series) series.setAttribute("visibility", off ? "hidden" : "visible");
    figure.querySelector(`.legend li[data-line="${number}"]`).classList.toggle("off", off);
    hidden[off ? "add" : "delete"](`${figure.id}/${number}`);
  }
  function dress(figure) {
    if (figure.dressed) return;
    figure.dressed = true;
    const picture = figure.querySelector("svg.chart");
    picture.setAttribute("tabindex", "0");
    // As a picture it would never hear of an arrow key from those who read with a screen reader.
    picture.setAttribute("role", "application");
    picture.setAttribute("aria-roledescription", "chart");
    const line = document.createElementNS(SVG, "line");
    for (const [name, value] of Object.entries({class: "cursor", y1: 0, y2: "100%", visibility: "hidden"})) line.setAttribute(name, value);
    picture.append(line);
    for (const item of figure.querySelectorAll(".legend li")) {
      const box = document.createElement("input"), number = item.dataset.line;
      box.type = "checkbox";
      box.checked = !hidden.has(`${figure.id}/${number}`);
      box.addEventListener("change", () => hide(figure, number, !box.checked));
      item.firstElementChild.prepend(box);
      const value = document.createElement("span");
      value.className = "value";
      item.append(value);
      if (!box.checked) hide(figure, number, true);
    }
    listen(figure);
  }

  // Where least and most may stand beside a value there is room for them always: a legend that grew would move its chart.
  function makeRoom(figure) {
    for (const item of figure.querySelectorAll(".legend li")) {
      const series = figure.querySelector(`g.series[data-line="${item.dataset.line}"]`);
      const found = series && data.series[series.dataset.series];
      item.classList.toggle("merged", Boolean(found && (found.l || found.h)));
    }
  }

  // --- the page ---

  function build() {
    document.documentElement.classList.add("scripted");
    bar = document.createElement("div");
    bar.className = "bar";
    bar.setAttribute("role", "toolbar");
    bar.setAttribute("aria-label", "Time axis");
    const words = document.createElement("output");
    bar.append(words);
    for (const [text, title, act] of [
      ["+", "Zoom in", () => zoomBy(0.5)], ["−", "Zoom out", () => zoomBy(2)], ["All", "The whole run", () => zoom(0, 1)],
    ]) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = text;
      button.title = title;
      button.setAttribute("aria-label", title);
      button.addEventListener("click", act);
      bar.append(button);
    }
    const heard = document.createElement("div");
    heard.id = "heard";
    heard.className = "heard";
    heard.setAttribute("aria-live", "polite");
    document.body.append(bar, heard);
    document.addEventListener("click", (event) => lead(event.target.closest(".moments li[data-from]")));
    document.addEventListener("keydown", (event) => {
      const item = event.target.closest(".moments li[data-from]");
      if (!item || (event.key !== "Enter" && event.key !== " ")) return;
      event.preventDefault();
      lead(item);
    });
  }
  // An entry of what stands out leads to its time.
  function lead(item) {
    const figure = charts()[0];
    if (!item || !figure) return;
    const [from, to] = [shareOf(figure, Number(item.dataset.from)), shareOf(figure, Number(item.dataset.to))];
    const room = Math.max(2 * (to - from), 0.02);
    zoom(from - room, to + room);
    moveTo(figure, Number(item.dataset.from), true);
  }
  function offer(item) {
    item.setAttribute("tabindex", "0");
    item.setAttribute("role", "button");
    item.parentElement.setAttribute("role", "group");
  }
  // Also for the live page, after it has put newer parts in place.
  function refresh() {
    data = JSON.parse(document.getElementById("data").textContent);
    figures().forEach(dress);
    figures().forEach(makeRoom);
    bar.hidden = !charts().length;
    document.querySelectorAll(".moments li[data-from]").forEach(offer);
    zoom(state.from, state.to);
  }
  build();
  refresh();
  window.squall = {refresh, zoom, moveTo, state};
})();
