// What is asked, when, and what is shown of it.

const PATH = document.querySelector('meta[name="metrics"]').content;
const ACCEPT = "application/openmetrics-text; version=1.0.0, text/plain; version=0.0.4; q=0.5";

/** Rows of a list at first, and more of them at each wish: no number of series makes the page slow. */
const ROWS = 60;
const SHORT = 7;
const TIMEOUT_MS = 60_000;
const MAX_DELAY_MS = 60_000;
const QUANTILES = [0.5, 0.9, 0.99];

const at = (id) => document.getElementById(id);
const store = new Store();

const view = { search: "", order: "name", rows: ROWS, family: null, series: null, membersOrder: "number", members: ROWS, recent: true };

/* ---- asking ---- */

const asking = { token: null, timer: 0, running: false, failures: 0, retryAt: 0, interval: 2000, waitsForToken: false, last: null };

/** What went wrong, in words for who sees it. */
class Failure extends Error {
  constructor(message, needsToken = false) {
    super(message);
    this.needsToken = needsToken;
  }
}

async function read() {
  const headers = { Accept: ACCEPT };
  if (asking.token !== null) headers.Authorization = `Bearer ${asking.token}`;
  const began = performance.now();
  let response;
  let text;
  try {
    response = await fetch(PATH, { headers, cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
    asking.answered = performance.now() - began;
    text = await response.text();
  } catch (error) {
    throw new Failure(error.name === "TimeoutError" ? "The server does not answer." : "The server cannot be reached.");
  }
  const said = text.slice(0, 200).trim();
  if (response.status === 401) throw new Failure(asking.token === null ? "" : "The server refuses this token.", true);
  if (response.status === 403) {
    throw new Failure("This address may not see the metrics (403). The server's openmetrics_allow_ips and openmetrics_allow_cidr say which may.");
  }
  if (!response.ok) throw new Failure(`The server answers with ${response.status}: ${said}`);
  const kind = response.headers.get("content-type") ?? "";
  if (!/^(application\/openmetrics-text|text\/plain)/.test(kind)) throw new Failure(`This is no page of metrics, but ${kind}: ${said}`);
  const arrived = performance.now();
  try {
    const { ended } = readPage(text, store);
    if (!ended && kind.startsWith("application/")) throw new PageError("it was cut off");
  } catch (error) {
    throw error instanceof PageError ? new Failure(`The page of metrics cannot be read: ${error.message}`) : error;
  }
  store.commit(Date.now());
  Object.assign(asking.figures, { bytes: text.length, answered: asking.answered, parsed: performance.now() - arrived });
}
asking.figures = { bytes: 0, answered: 0, parsed: 0, drawn: 0 };

async function ask() {
  clearTimeout(asking.timer);
  if (asking.running || document.hidden || asking.waitsForToken) return;
  asking.running = true;
  try {
    await read();
    asking.failures = 0;
    asking.failure = null;
  } catch (error) {
    if (!(error instanceof Failure)) console.error(error);
    asking.failure = error instanceof Failure ? error : new Failure(`This page has a defect: ${error.message}`);
    asking.failures += 1;
    asking.waitsForToken = error.needsToken === true;
    if (store.tick > 0 && !asking.waitsForToken) store.skip(Date.now());
  }
  asking.running = false;
  drawSoon();
  plan();
}

/** When to ask again: sooner the second time, since rates need two readings; later after each failure. */
function plan() {
  clearTimeout(asking.timer);
  asking.retryAt = 0;
  if (asking.waitsForToken || document.hidden || asking.interval === 0) return;
  let delay = store.tick === 1 ? Math.min(1000, asking.interval) : asking.interval;
  if (asking.failures > 0) {
    delay = Math.min(MAX_DELAY_MS, Math.max(1000, asking.interval) * 2 ** Math.min(asking.failures - 1, 6));
    asking.retryAt = Date.now() + delay;
  }
  asking.timer = setTimeout(ask, delay);
}

/* ---- which families and series ---- */

/** The words that are searched for; a name or a label must have each. */
function words() {
  return view.search.toLowerCase().split(/\s+/).filter(Boolean);
}

/** The series of a family that a search is about: all of them if its name has all the words. None: the family is not meant. */
function matching(family, wanted) {
  const all = [...family.members.values()];
  const name = `${family.name} ${family.help}`.toLowerCase();
  if (wanted.every((word) => name.includes(word))) return all;
  return all.filter((series) => wanted.every((word) => series.text.includes(word)));
}

function byName(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

function overview() {
  const wanted = words();
  const changed = view.order === "change" ? new Map() : null;
  if (changed) {
    for (const { series, score } of store.changes(Infinity)) {
      changed.set(series.family, Math.max(score, changed.get(series.family) ?? 0));
    }
  }
  const found = [];
  for (const family of store.families.values()) {
    const members = matching(family, wanted);
    const isNamed = members.length === family.members.size;
    if (members.length > 0 || wanted.every((word) => `${family.name} ${family.help}`.toLowerCase().includes(word))) {
      found.push({ family, members, isNamed });
    }
  }
  const orders = {
    name: () => 0,
    change: (a, b) => (changed.get(b.family) ?? 0) - (changed.get(a.family) ?? 0),
    series: (a, b) => b.members.length - a.members.length,
    type: (a, b) => byName(a.family.type, b.family.type),
  };
  const order = orders[view.order];
  return found.sort((a, b) => order(a, b) || byName(a.family.name, b.family.name));
}

/** The last minutes of several series as one line. */
function foldedRing(family, members, places) {
  if (members.length === 1) return members[0].ring;
  const ring = new Float64Array(TICKS).fill(NaN);
  const rings = members.map((series) => series.ring).filter(Boolean);
  for (const place of places) ring[place] = family.fold(rings.map((other) => other[place]));
  return ring;
}

/* ---- addresses: #family, #family?labels ---- */

function addressOf(family, series = null) {
  return `#${encodeURIComponent(family.name)}${series ? `?${encodeURIComponent(series.key)}` : ""}`;
}

function followAddress() {
  const [name, key = null] = location.hash.slice(1).split("?");
  const decode = (text) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return "";
    }
  };
  const family = decode(name) || null;
  const isOther = family !== view.family;
  view.family = family;
  view.series = key && decode(key);
  if (isOther) {
    view.members = ROWS;
    scrollTo(0, 0);
  }
  draw();
}

/* ---- drawing ---- */

let pending = 0;

function drawSoon() {
  if (pending === 0) pending = requestAnimationFrame(draw);
}

function draw() {
  cancelAnimationFrame(pending);
  pending = 0;
  const began = performance.now();
  drawState();
  const hasData = store.tick > 0;
  setHidden(at("overview"), !hasData || Boolean(view.family));
  setHidden(at("detail"), !hasData || !view.family);
  if (hasData) {
    if (view.family) drawDetail(store.families.get(view.family) ?? new Family(view.family, "It is not on the page of metrics."));
    else drawOverview();
  }
  asking.figures.drawn = performance.now() - began;
  drawFoot();
}

function drawState() {
  const { failure, waitsForToken, interval } = asking;
  setHidden(at("sign"), !waitsForToken);
  const notice = at("notice");
  setHidden(notice, !failure?.message);
  if (failure?.message) {
    const seconds = Math.ceil((asking.retryAt - Date.now()) / 1000);
    setText(notice.querySelector("p"), failure.message);
    // Beside the message, so that it is not read out each second.
    setText(notice.querySelector("span"), seconds > 0 ? `Trying again in ${formatSeconds(seconds)}.` : "");
    setHidden(notice.querySelector("button"), waitsForToken);
  }
  const [kind, word] = waitsForToken
    ? ["trouble", "locked"]
    : failure
      ? ["trouble", "stale"]
      : interval === 0
        ? ["", "paused"]
        : store.tick === 0
          ? ["", "connecting"]
          : ["live", "live"];
  at("state").className = `state ${kind}`;
  setText(at("state").querySelector("span"), word);
  document.body.classList.toggle("stale", Boolean(failure));
}

function drawFoot() {
  const { bytes, answered, parsed, drawn } = asking.figures;
  setText(at("families"), exact(store.families.size));
  setText(at("series"), exact(store.size));
  setText(at("bytes"), formatBytes(bytes));
  setText(at("answered"), formatSeconds(answered / 1000));
  const foot = at("foot");
  foot.dataset.parsed = parsed.toFixed(1);
  foot.dataset.drawn = drawn.toFixed(1);
  foot.dataset.tick = store.tick;
  const host = location.host;
  setText(foot, store.tick > 0 ? `${host} · read in ${formatSeconds(parsed / 1000)}, drawn in ${formatSeconds(drawn / 1000)}` : host);
}

/** A row of a list: who, graphs, value. `tag` is a link or a button. */
function makeRow(tag) {
  const [spark, bars] = [makeSpark(), makeBars()];
  const [number, note] = [element("b"), element("small")];
  const who = element("div", "who");
  const root = element(tag, "row", who, element("div", "graphs", spark.root, bars.root), element("div", "value", number, note));
  return { root, who, spark, bars, number, note };
}

const familyRows = new Rows(
  at("rows"),
  () => {
    const row = makeRow("a");
    Object.assign(row, { name: element("div", "name"), type: element("span", "type"), size: element("span"), help: element("span", "help") });
    row.size.style.whiteSpace = "nowrap";
    row.who.append(row.name, element("div", "note", row.type, row.size, row.help));
    return row;
  },
  (row, { family, members, isNamed }) => {
    setAttribute(row.root, "href", addressOf(family));
    setText(row.name, family.name);
    setText(row.type, family.type);
    row.type.className = `type ${family.type}`;
    setText(row.size, isNamed ? `${exact(members.length)} series` : `${exact(members.length)} of ${exact(family.members.size)} series`);
    setText(row.help, family.help);
    const places = store.places();
    const number = isNamed ? family.number : family.fold(numbersOf(members));
    drawSpark(row.spark, isNamed ? family.ring : foldedRing(family, members, places), places, store.times, family.isRate);
    const buckets = family.hasBuckets ? currentBuckets(family, members) : null;
    setHidden(row.bars.root, !family.hasBuckets);
    drawBars(row.bars, buckets);
    if (family.type === "info") {
      setText(row.number, "");
      setText(row.note, members.length === 1 ? formatLabels(members[0].labels) : "");
    } else {
      setText(row.number, formatNumber(number, family));
      setText(row.note, noteOf(family, members, buckets));
    }
  },
);

/** Recent observations, or all of them where there are no recent ones. */
function currentBuckets(family, members) {
  const recent = view.recent && family.isRate ? bucketsOf(members, true) : null;
  return recent && recent.total > 0 ? recent : bucketsOf(members, false);
}

/** The second line of a value. */
function noteOf(family, members, buckets) {
  const unit = family.reading;
  if (buckets) {
    if (!(buckets.total > 0)) return "no observations";
    return `p50 ${formatQuantile(quantile(buckets, 0.5), unit)} · p99 ${formatQuantile(quantile(buckets, 0.99), unit)}`;
  }
  const sumOf = (part) => members.reduce((sum, series) => sum + series[part], 0);
  if (family.type === "counter") return `${formatValue(sumOf("value"), unit)} in all`;
  if (family.type === "summary") {
    const count = sumOf("count");
    return count > 0 ? `mean ${formatValue(sumOf("sum") / count, unit)}` : "no observations";
  }
  return members.length > 1 ? `${family.isMean ? "mean" : "sum"} of ${exact(members.length)}` : "";
}

/** Shows as many rows as wanted, and a button for more. */
function drawList(rows, items, limit, keyOf, more, none, nothing) {
  rows.show(items.slice(0, limit), keyOf);
  setHidden(more, items.length <= limit);
  setText(more, `Show more: ${exact(limit)} of ${exact(items.length)}`);
  setHidden(none, items.length > 0);
  setText(none, nothing);
}

function drawOverview() {
  document.title = `manometer · ${location.host}`;
  const items = overview();
  setText(at("heading"), view.search.trim() ? `${exact(items.length)} of ${exact(store.families.size)} families` : "All families");
  const nothing = view.search.trim() ? `No family and no label has “${view.search.trim()}”.` : "The page has no metrics.";
  drawList(familyRows, items, view.rows, ({ family }) => family.name, at("more"), at("none"), nothing);

  const changes = store.changes(SHORT);
  changedRows.show(changes, ({ series }) => `${series.family.name} ${series.key}`);
  setHidden(at("unchanged"), changes.length > 0);
  setText(at("unchanged"), store.tick < 2 * RECENT ? "Comes after a few readings." : "Nothing moved away from where it was.");
  const largest = [...store.families.values()].sort((a, b) => b.members.size - a.members.size || byName(a.name, b.name)).slice(0, SHORT);
  const most = largest[0]?.members.size || 1;
  largestRows.show(largest.map((family) => ({ family, share: family.members.size / most })), ({ family }) => family.name);
}

const changedRows = new Rows(
  at("changed"),
  () => {
    const [name, amount] = [element("span", "name"), element("span", "amount")];
    const [sub, labels] = [element("span", "sub"), element("span", "sub")];
    return { root: element("a", "", name, amount, sub, labels), name, amount, sub, labels };
  },
  ({ root, name, amount, sub, labels }, { series, now, before }) => {
    const { family } = series;
    setAttribute(root, "href", addressOf(family, series));
    setText(name, family.name);
    setText(amount, formatChange(now, before));
    amount.className = `amount ${now > before ? "up" : "down"}`;
    setText(sub, `${formatNumber(before, family)} → ${formatNumber(now, family)}`);
    setText(labels, formatLabels(series.labels));
  },
);

/** A name, an amount, and a meter of its share. */
function makeEntry(tag, name) {
  const [label, amount, meter] = [element("span", "name"), element("span", "amount"), element("i")];
  return { root: element(tag, name, label, amount, element("span", "meter", meter)), label, amount, meter };
}

const largestRows = new Rows(
  at("largest"),
  () => makeEntry("a", ""),
  ({ root, label, amount, meter }, { family, share }) => {
    setAttribute(root, "href", addressOf(family));
    setText(label, family.name);
    setText(amount, exact(family.members.size));
    meter.style.width = `${share * 100}%`;
  },
);

/* ---- one family ---- */

const chart = new Chart();
at("chart").append(chart.root);
const histogram = new Histogram();
at("histogram").append(histogram.root);

const factRows = new Rows(
  at("facts"),
  () => {
    const [term, text] = [element("dt"), element("dd")];
    return { root: element("div", "", term, text), term, text };
  },
  ({ term, text }, { name, value, exact: whole }) => {
    setText(term, name);
    setText(text, value);
    text.title = whole ?? "";
    text.dataset.value = whole ?? "";
  },
);

const keyRows = new Rows(
  at("keys"),
  () => makeEntry("div", "entry"),
  ({ label, amount, meter }, { key, count, share }) => {
    setText(label, key);
    setText(amount, count === 1 ? "1 value" : `${exact(count)} values`);
    meter.style.width = `${share * 100}%`;
  },
);

const memberRows = new Rows(
  at("members"),
  (series) => {
    const row = makeRow("button");
    row.root.type = "button";
    row.dot = element("span", "dot");
    const labels = series.labels.map(([name, value]) => element("span", "", element("i", "", `${name}=`), value));
    row.labels = element("div", "labels", row.dot, ...(labels.length > 0 ? labels : ["no labels"]));
    row.who.append(row.labels);
    return row;
  },
  (row, series) => {
    const { family } = series;
    const isChosen = series.key === view.series;
    setAttribute(row.root, "aria-pressed", String(isChosen));
    // Another series may have the row of one that is gone and came back.
    row.root.onclick = () => location.assign(addressOf(family, isChosen ? null : series));
    const color = chart.colors?.get(series);
    setHidden(row.dot, !color);
    row.dot.className = `dot c${color}`;
    drawSpark(row.spark, series.ring, store.places(), store.times, family.isRate);
    const buckets = family.hasBuckets ? currentBuckets(family, [series]) : null;
    setHidden(row.bars.root, !family.hasBuckets);
    drawBars(row.bars, buckets);
    setText(row.number, formatNumber(series.number, family));
    row.number.dataset.value = String(family.type === "counter" ? series.value : series.number);
    setText(row.note, noteOf(family, [series], buckets));
  },
);

function drawDetail(family) {
  document.title = `${view.family} · manometer`;
  setText(at("name"), view.family);
  setText(at("type"), family.type);
  at("type").className = `type ${family.type}`;
  setText(at("help"), family.help);
  const chosen = family.members.get(view.series) ?? null;
  const members = matching(family, words());
  // Not by what they are now: lines and rows would change places all the time.
  const places = store.places();
  const levels = new Map(members.map((series) => [series, (series.ring && moments(series.ring, places)[0]) || 0]));
  const meant = chosen ? [chosen] : members;
  drawChart(family, meant, chosen, levels);
  drawFacts(family, meant);
  setHidden(at("distribution"), !family.hasBuckets || meant.length === 0);
  if (family.hasBuckets && meant.length > 0) {
    const buckets = currentBuckets(family, meant);
    if (buckets) histogram.draw(buckets, family.reading);
  }
  drawCardinality(members);

  const changes = view.membersOrder === "change" ? new Map(store.changes(Infinity).map(({ series, score }) => [series, score])) : null;
  const orders = {
    number: (a, b) => levels.get(b) - levels.get(a),
    change: (a, b) => (changes.get(b) ?? 0) - (changes.get(a) ?? 0),
    name: () => 0,
  };
  const order = orders[view.membersOrder];
  members.sort((a, b) => order(a, b) || byName(a.text, b.text));
  const isFiltered = members.length !== family.members.size;
  setText(at("members-title"), isFiltered ? `${exact(members.length)} of ${exact(family.members.size)} series` : `${exact(members.length)} series`);
  const nothing = family.members.size === 0 ? "No series." : `No label has “${view.search.trim()}”.`;
  drawList(memberRows, members, view.members, ({ key }) => key, at("members-more"), at("members-none"), nothing);
}

function drawChart(family, meant, chosen, levels) {
  const shown = meant.filter((series) => series.ring);
  shown.sort((a, b) => levels.get(b) - levels.get(a) || byName(a.text, b.text));
  const lines = shown.slice(0, 6);
  chart.colors = new Map(lines.length > 1 ? lines.map((series, index) => [series, index + 1]) : []);
  const what = { counter: "Rate", histogram: "Observations per second", summary: "Observations per second" }[family.type] ?? "Value";
  setText(at("chart-title"), chosen ? `${what}: ${formatLabels(chosen.labels)}` : lines.length < meant.length ? `${what}, the highest ${lines.length}` : what);
  const drawn = lines.map((series, index) => ({ ring: series.ring, color: index + 1 }));
  chart.draw(drawn, store.places(), store.times, (number) => formatNumber(number, family), family.isRate);
}

function drawFacts(family, meant) {
  const facts = [];
  const fact = (name, value, whole) => facts.push({ name, value, exact: whole });
  const unit = family.reading;
  const sumOf = (part) => meant.reduce((sum, series) => sum + series[part], 0);
  const number = family.fold(numbersOf(meant));
  const many = meant.length > 1 ? `${family.isMean ? "mean" : "sum"} of ${exact(meant.length)}` : "value";
  if (family.type === "info" || family.type === "stateset" || meant.length === 0) {
    // What there is to say stands in the labels.
  } else if (family.type === "counter") {
    fact("rate", formatNumber(number, family), String(number));
    fact("in all", formatValue(sumOf("value"), unit), String(sumOf("value")));
  } else if (family.hasBuckets || family.type === "summary") {
    const [count, sum] = [sumOf("count"), sumOf("sum")];
    if (family.isRate) fact("rate", formatNumber(number, family), String(number));
    fact("count", formatPlain(count), String(count));
    if (count > 0 && !Number.isNaN(sum)) fact("mean", formatValue(sum / count, unit), String(sum / count));
    const buckets = family.hasBuckets && currentBuckets(family, meant);
    if (buckets && buckets.total > 0) {
      for (const q of QUANTILES) fact(`p${q * 100}, estimated`, formatQuantile(quantile(buckets, q), unit));
    }
    if (meant.length === 1) {
      for (const [index, q] of meant[0].quantiles.entries()) fact(`quantile ${q}`, formatValue(meant[0].quantileValues[index], unit));
    }
  } else {
    fact(many, formatNumber(number, family), String(number));
  }
  const created = meant.length === 1 ? meant[0].created : NaN;
  if (created > 0) fact("since", formatMoment(created), new Date(created * 1000).toISOString());
  factRows.show(facts, ({ name }) => name);
}

/** How many values each label has. */
function drawCardinality(members) {
  const values = new Map();
  for (const { labels } of members) {
    for (const [key, value] of labels) {
      if (!values.has(key)) values.set(key, new Set());
      values.get(key).add(value);
    }
  }
  setHidden(at("cardinality"), values.size === 0);
  const counts = [...values].map(([key, { size }]) => ({ key, count: size, share: size / members.length }));
  keyRows.show(counts.sort((a, b) => b.count - a.count || byName(a.key, b.key)), ({ key }) => key);
}

/* ---- listening ---- */

function listen() {
  const change = (id, act) => at(id).addEventListener("change", ({ target }) => (act(target.value), drawSoon()));
  change("order", (value) => Object.assign(view, { order: value, rows: ROWS }));
  change("members-order", (value) => Object.assign(view, { membersOrder: value, members: ROWS }));
  change("span", (value) => (view.recent = value === "recent"));
  change("interval", (value) => {
    const wasPaused = asking.interval === 0;
    asking.interval = Number(value);
    // A gap, for what nobody saw.
    if (wasPaused && store.tick > 0) store.skip(Date.now());
    if (asking.interval > 0) ask();
    else plan();
  });
  at("search").addEventListener("input", ({ target }) => {
    Object.assign(view, { search: target.value, rows: ROWS, members: ROWS });
    drawSoon();
  });
  at("find").addEventListener("submit", (event) => event.preventDefault());
  at("more").addEventListener("click", () => ((view.rows += ROWS), draw()));
  at("members-more").addEventListener("click", () => ((view.members += ROWS), draw()));
  at("notice").querySelector("button").addEventListener("click", ask);
  at("sign").addEventListener("submit", (event) => {
    event.preventDefault();
    // What a header cannot have is no token.
    asking.token = at("token").value.replace(/[^\x21-\x7e]/g, "");
    at("token").value = "";
    Object.assign(asking, { waitsForToken: false, failures: 0, failure: null });
    ask();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return clearTimeout(asking.timer);
    if (store.tick > 0) store.skip(Date.now());
    if (asking.interval > 0) ask();
  });
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest?.("input, select");
    if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      at("search").focus();
      at("search").select();
    } else if (event.key === "Escape") {
      if (event.target === at("search") && at("search").value) return;
      if (view.series) location.hash = addressOf({ name: view.family });
      else if (view.family) location.hash = "";
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && !event.target.closest?.("select")) {
      moveFocus(event);
    }
  });
  addEventListener("hashchange", followAddress);
  // The seconds until the next try.
  setInterval(() => asking.retryAt > 0 && drawState(), 1000);
}

/** Up and down go through the rows of a list, and from the search into it. */
function moveFocus(event) {
  const rows = [...document.querySelectorAll("main > section:not([hidden]) .row")];
  const now = rows.indexOf(document.activeElement);
  if (now < 0 && event.target !== at("search")) return;
  const next = rows[event.key === "ArrowDown" ? now + 1 : now - 1];
  if (next || event.key === "ArrowUp") {
    event.preventDefault();
    (next ?? at("search")).focus();
  }
}

// Where the short lists are on top, they are closed at first.
const narrow = matchMedia("(max-width: 900px)");
const fold = () => document.querySelectorAll("details").forEach((details) => (details.open = !narrow.matches));
narrow.addEventListener("change", fold);
fold();
listen();
followAddress();
ask();
