// Elements and pictures. Whatever comes from the metrics is set as text or as a property, never as markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element with a class, and what is in it: elements, or text. */
function element(tag, name = "", ...content) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.append(...content);
  return made;
}

function svg(tag, attributes = {}, ...content) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...content);
  return made;
}

/** Writes only what is new, so that nothing is laid out again in vain. */
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

function setHidden(node, hidden) {
  node.toggleAttribute("hidden", hidden);
}

/** Rows of a list by key: what stays keeps its element, and with it focus and pointer. */
class Rows {
  constructor(parent, make, update) {
    Object.assign(this, { parent, make, update, known: new Map() });
  }

  show(items, keyOf) {
    const now = new Map();
    let next = this.parent.firstElementChild;
    for (const [index, item] of items.entries()) {
      const key = keyOf(item);
      const row = this.known.get(key) ?? this.make(item);
      now.set(key, row);
      if (row.root === next) next = next.nextElementSibling;
      else this.parent.insertBefore(row.root, next);
      this.update(row, item, index);
    }
    for (const [key, row] of this.known) if (!now.has(key)) row.root.remove();
    this.known = now;
  }
}

/** The range of a picture's values: from zero, unless they are far from it and are no rates. */
function rangeOf(lines, places, fromZero) {
  let low = Infinity;
  let high = -Infinity;
  for (const ring of lines) {
    for (const place of places) {
      const number = ring[place];
      if (!Number.isFinite(number)) continue;
      low = Math.min(low, number);
      high = Math.max(high, number);
    }
  }
  if (low > high) return null;
  const isFar = !fromZero && (low > 0 ? high - low < 0.25 * high : high < 0 && high - low < -0.25 * low);
  if (!isFar) return low === 0 && high === 0 ? [0, 1] : [Math.min(0, low), Math.max(0, high)];
  const room = Math.max((high - low) * 0.1, Math.abs(high) * 1e-9, 1e-12);
  return [low - room, high + room];
}

/** The path of one line, with gaps where nothing is known. */
function pathOf(ring, places, times, [low, high], width, height, margin = 1.5) {
  const first = times[places[0]];
  const span = times[places[places.length - 1]] - first || 1;
  const scaled = (height - 2 * margin) / (high - low);
  let path = "";
  let pen = "M";
  for (const place of places) {
    const number = ring[place];
    if (!Number.isFinite(number)) {
      pen = "M";
      continue;
    }
    const x = ((times[place] - first) / span) * width;
    path += `${pen}${x.toFixed(1)} ${(height - margin - (number - low) * scaled).toFixed(1)}`;
    pen = "L";
  }
  return path;
}

/** The line, closed along the bottom. Gaps are filled too; the line on top shows them. */
function areaOf(path, height) {
  const points = path.replace(/M/g, "L").slice(1);
  if (!points.includes("L")) return "";
  const start = points.slice(0, points.indexOf(" "));
  const end = points.slice(points.lastIndexOf("L") + 1).split(" ")[0];
  return `M${start} ${height}L${points}L${end} ${height}Z`;
}

/** A small line without axes. */
function makeSpark() {
  const area = svg("path", { class: "area" });
  const line = svg("path", { class: "line" });
  const root = svg("svg", { class: "spark", viewBox: "0 0 120 28", preserveAspectRatio: "none", "aria-hidden": "true" });
  root.append(area, line);
  return { root, area, line };
}

function drawSpark(spark, ring, places, times, fromZero) {
  const range = ring && places.length > 1 && rangeOf([ring], places, fromZero);
  const path = range ? pathOf(ring, places, times, range, 120, 28) : "";
  setAttribute(spark.line, "d", path);
  setAttribute(spark.area, "d", path ? areaOf(path, 28) : "");
}

/** The bars of a histogram, small. */
function makeBars() {
  const bars = svg("path", {});
  const root = svg("svg", { class: "bars", viewBox: "0 0 120 28", preserveAspectRatio: "none", "aria-hidden": "true" });
  root.append(bars);
  return { root, bars };
}

function drawBars({ bars }, buckets) {
  let path = "";
  if (buckets && buckets.total > 0) {
    const most = Math.max(...buckets.counts);
    const step = 120 / buckets.counts.length;
    for (const [at, count] of buckets.counts.entries()) {
      const height = count > 0 ? Math.max(1.5, (count / most) * 27) : 0.6;
      path += `M${(at * step + step * 0.08).toFixed(1)} 28v${(-height).toFixed(1)}h${(step * 0.84).toFixed(1)}V28Z`;
    }
  }
  setAttribute(bars, "d", path);
}

/** The bars of a histogram, large: with thresholds, and what each bar is when pointed at. */
class Histogram {
  constructor() {
    this.columns = element("div", "columns");
    this.root = element("div", "large", this.columns);
    this.rows = new Rows(
      this.columns,
      () => {
        const bar = element("div", "bar");
        const label = element("span", "bound");
        return { root: element("div", "column", element("div", "stand", bar), label), bar, label };
      },
      (row, { share, label, title }) => {
        row.bar.style.height = `${share * 100}%`;
        setText(row.label, label);
        if (row.root.title !== title) row.root.title = title;
      },
    );
  }

  draw(buckets, unit) {
    const most = Math.max(...buckets.counts, 1e-300);
    const every = Math.ceil(buckets.bounds.length / 9);
    const items = buckets.counts.map((count, at) => {
      const bound = buckets.bounds[at];
      const name = formatValue(bound, unit);
      const part = buckets.total > 0 ? digits((count / buckets.total) * 100) : "0";
      const isShown = (buckets.bounds.length - 1 - at) % every === 0;
      return { at, share: count / most, label: isShown ? name : "", title: `up to ${name}: ${exact(count)} (${part} %)` };
    });
    this.rows.show(items, (item) => item.at);
  }
}

/** Lines over the last minutes, with a cursor that pointer and arrow keys move. */
class Chart {
  static WIDTH = 600;
  static HEIGHT = 160;

  constructor() {
    const size = `0 0 ${Chart.WIDTH} ${Chart.HEIGHT}`;
    this.area = svg("path", { class: "area" });
    this.lines = svg("g", { class: "lines" });
    this.cursor = svg("path", { class: "cursor" });
    const grid = svg("path", { class: "grid", d: [0.25, 0.5, 0.75].map((y) => `M0 ${y * Chart.HEIGHT}h${Chart.WIDTH}`).join("") });
    this.picture = svg("svg", { viewBox: size, preserveAspectRatio: "none", "aria-hidden": "true" });
    this.picture.append(grid, this.area, this.lines, this.cursor);
    this.top = element("span", "top");
    this.bottom = element("span", "bottom");
    this.plot = element("div", "plot", this.picture, this.top, this.bottom);
    this.plot.tabIndex = 0;
    this.plot.setAttribute("role", "img");
    this.start = element("span");
    this.readout = element("div", "readout");
    this.root = element("div", "chart", this.readout, this.plot, element("div", "span", this.start, element("span", "", "now")));
    this.at = null;
    this.drawn = null;
    this.plot.addEventListener("pointermove", (event) => {
      const box = this.plot.getBoundingClientRect();
      this.point((event.clientX - box.left) / box.width);
    });
    this.plot.addEventListener("pointerleave", () => this.point(null));
    this.plot.addEventListener("blur", () => this.point(null));
    this.plot.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step || !this.drawn) return;
      event.preventDefault();
      event.stopPropagation();
      const last = this.drawn.places.length - 1;
      this.at = Math.min(last, Math.max(0, (this.at ?? last + 1) + step));
      this.read();
    });
  }

  /** `lines` are `{ring, color, name}`; `format` makes text of their numbers. */
  draw(lines, places, times, format, fromZero) {
    const range = rangeOf(lines.map(({ ring }) => ring), places, fromZero);
    while (this.lines.childElementCount < lines.length) this.lines.append(svg("path", {}));
    while (this.lines.childElementCount > lines.length) this.lines.lastElementChild.remove();
    let path = "";
    for (const [at, { ring, color }] of lines.entries()) {
      path = range ? pathOf(ring, places, times, range, Chart.WIDTH, Chart.HEIGHT, 4) : "";
      setAttribute(this.lines.children[at], "d", path);
      setAttribute(this.lines.children[at], "class", `line c${color}`);
    }
    setAttribute(this.area, "d", path && lines.length === 1 ? areaOf(path, Chart.HEIGHT) : "");
    setText(this.top, range ? format(range[1]) : "");
    setText(this.bottom, range ? format(range[0]) : "");
    const seconds = places.length > 1 ? (times[places[places.length - 1]] - times[places[0]]) / 1000 : 0;
    setText(this.start, seconds > 0 ? `${formatSeconds(Math.round(seconds))} ago` : "");
    this.drawn = { lines, places, times, format };
    this.read();
  }

  /** Puts the cursor at this share of the time. */
  point(share) {
    this.at = null;
    if (share !== null && this.drawn && this.drawn.places.length > 1) {
      const { places, times } = this.drawn;
      const first = times[places[0]];
      const wanted = first + share * (times[places[places.length - 1]] - first);
      let best = 0;
      for (const [at, place] of places.entries()) {
        if (Math.abs(times[place] - wanted) < Math.abs(times[places[best]] - wanted)) best = at;
      }
      this.at = best;
    }
    this.read();
  }

  read() {
    const { lines, places, times, format } = this.drawn ?? { places: [] };
    if (places.length === 0) return;
    const at = this.at === null ? places.length - 1 : Math.min(this.at, places.length - 1);
    const first = times[places[0]];
    const span = times[places[places.length - 1]] - first || 1;
    const x = ((times[places[at]] - first) / span) * Chart.WIDTH;
    setAttribute(this.cursor, "d", this.at === null ? "" : `M${x.toFixed(1)} 0V${Chart.HEIGHT}`);
    const time = formatClock(times[places[at]]);
    const values = lines.map(({ ring, color }) => element("span", lines.length > 1 ? `c${color}` : "", format(ring[places[at]])));
    this.readout.replaceChildren(time, ...values);
    setAttribute(this.plot, "aria-label", `The last minutes; at ${time}: ${values.map((value) => value.textContent).join(", ")}`);
  }
}
