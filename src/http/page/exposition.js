// Reads a metrics page, OpenMetrics or text 0.0.4, into a store.
//
// Most lines of a page were there the last time, with another value. So the store keeps, by all that stands before the value, where the
// value goes; labels are taken apart once.

/** What a sample's name adds to its family's, and what the sample is then. */
const PARTS = {
  counter: { _total: "value", "": "value", _created: "created" },
  gauge: { "": "value" },
  unknown: { "": "value" },
  info: { _info: "value", "": "value" },
  stateset: { "": "value" },
  histogram: { _bucket: "bucket", _count: "count", _sum: "sum", _created: "created" },
  gaugehistogram: { _bucket: "bucket", _gcount: "count", _gsum: "sum" },
  summary: { "": "quantile", _count: "count", _sum: "sum", _created: "created" },
};

/** The label that a part of a metric adds to the metric's own. */
const EXTRA = { bucket: "le", quantile: "quantile" };

const ESCAPES = { n: "\n", "\\": "\\", '"': '"' };

/** The page is not one. */
class PageError extends Error {}

/** Reads all lines of `text` into `store`. */
function readPage(text, store) {
  let family = null;
  let line = 0;
  let ended = false;
  for (let start = 0; start < text.length; ) {
    let end = text.indexOf("\n", start);
    if (end < 0) end = text.length;
    line += 1;
    try {
      if (text.startsWith("#", start)) {
        const comment = text.slice(start, end);
        ended = ended || comment === "# EOF";
        family = readComment(comment, store) ?? family;
      } else if (end > start) {
        readSample(text, start, end, store, family);
      }
    } catch (error) {
      if (!(error instanceof PageError)) throw error;
      throw new PageError(`line ${line}: ${error.message}: ${text.slice(start, Math.min(end, start + 120))}`);
    }
    start = end + 1;
  }
  return { ended };
}

/** `# TYPE name type` and its kin; the family that the following lines are of, if it says so. */
function readComment(comment, store) {
  const [, keyword, name, rest = ""] = /^# (TYPE|UNIT|HELP) (\S+)(?: (.*))?$/.exec(comment) ?? [];
  if (!keyword) return null;
  const family = store.family(name);
  if (keyword === "TYPE") setType(family, Object.hasOwn(PARTS, rest) ? rest : "unknown", store);
  if (keyword === "UNIT") family.unit = rest;
  if (keyword === "HELP") family.help = unescapeText(rest);
  return family;
}

/** A family that was of another type, before the application was started anew, begins again. */
function setType(family, type, store) {
  if (family.type !== type && family.members.size > 0) {
    family.members.clear();
    store.targets.clear();
  }
  family.type = type;
}

/** `name{labels} value timestamp # exemplar`, where only name and value must be. */
function readSample(text, start, end, store, family) {
  const stop = prefixEnd(text, start, end);
  const prefix = text.slice(start, stop);
  if (text[stop] !== " ") throw new PageError("there is no value");
  const space = text.indexOf(" ", stop + 1);
  const value = readNumber(text.slice(stop + 1, space < 0 || space > end ? end : space));
  let target = store.targets.get(prefix);
  if (target === undefined) {
    target = findTarget(prefix, store, family);
    store.targets.set(prefix, target);
  }
  store.take(target, value);
}

/** Where name and labels end. */
function prefixEnd(text, start, end) {
  let at = start;
  while (at < end && text.charCodeAt(at) !== 0x20 && text.charCodeAt(at) !== 0x7b) at += 1;
  if (text[at] !== "{") return at;
  for (let quoted = false; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x22) quoted = !quoted;
    else if (code === 0x5c && quoted) at += 1;
    else if (code === 0x7d && !quoted) return at + 1;
  }
  throw new PageError("the labels do not end");
}

function readNumber(text) {
  const number = text.endsWith("Inf") ? Number(`${text}inity`) : Number(text || "x");
  if (Number.isNaN(number) && text !== "NaN") throw new PageError(`${text} is not a number`);
  return number;
}

/** The series, and the part of it, that lines with this prefix are about. */
function findTarget(prefix, store, current) {
  const brace = prefix.indexOf("{");
  const name = brace < 0 ? prefix : prefix.slice(0, brace);
  const labels = brace < 0 ? [] : readLabels(prefix.slice(brace + 1, -1));
  const partOf = ({ name: stem, type }) => name.startsWith(stem) && new Map(Object.entries(PARTS[type])).get(name.slice(stem.length));
  let family = current;
  let part = family && partOf(family);
  if (!part) {
    family = store.family(name);
    part = PARTS[family.type][""] ?? "value";
  }
  const extra = EXTRA[part];
  const own = extra ? labels.filter(([key]) => key !== extra) : labels;
  const series = store.series(family, own);
  if (!extra) return { series, part, at: -1 };
  const text = labels.find(([key]) => key === extra)?.[1];
  if (text === undefined) throw new PageError(`label ${extra} is missing`);
  const bounds = part === "bucket" ? series.bounds : series.quantiles;
  const bound = readNumber(text);
  const at = bounds.indexOf(bound);
  return { series, part, at: at < 0 ? bounds.push(bound) - 1 : at };
}

/** `key="value",…` as pairs. */
function readLabels(text) {
  const labels = [];
  const label = /\s*([^=,{}"\s]+)="((?:[^"\\]|\\.)*)"\s*(,|$)/sy;
  while (label.lastIndex < text.length) {
    const found = label.exec(text);
    if (!found) throw new PageError("the labels are malformed");
    labels.push([found[1], unescapeText(found[2])]);
  }
  return labels;
}

function unescapeText(text) {
  return text.includes("\\") ? text.replace(/\\(.)/gs, (whole, letter) => ESCAPES[letter] ?? whole) : text;
}
