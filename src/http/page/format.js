// Numbers as people read them.

const THIN = "\u202f";
const NONE = "–";

const DECIMAL = ["", "k", "M", "G", "T", "P", "E"];
const BINARY = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
const SYMBOLS = { celsius: "°C", meters: "m", volts: "V", amperes: "A", joules: "J", grams: "g", percent: "%" };

/** Three digits that count, without an exponent. */
function digits(number) {
  const size = Math.abs(number);
  if (size >= 100 || size === 0) return String(Math.round(number));
  const places = Math.min(8, Math.max(0, 2 - Math.floor(Math.log10(size))));
  return String(Number(number.toFixed(places)));
}

/** Divides until the rounded number is below `step`. */
function scale(number, step, names) {
  let at = 0;
  while (Math.abs(number) >= step - step / 2000 && at < names.length - 1) {
    number /= step;
    at += 1;
  }
  return [number, names[at]];
}

function formatPlain(number) {
  if (Math.abs(number) < 10_000 && Number.isInteger(number)) return exact(number);
  const [short, prefix] = scale(number, 1000, DECIMAL);
  return digits(short) + (prefix && THIN + prefix);
}

function formatBytes(number) {
  const [short, name] = scale(number, 1024, BINARY);
  return digits(short) + THIN + name;
}

/** Minutes and more are what a clock says; less goes by thousands. */
function formatSeconds(number) {
  const size = Math.abs(number);
  if (size === 0) return `0${THIN}s`;
  if (size < 0.9995e-6) return digits(number * 1e9) + THIN + "ns";
  if (size < 0.9995e-3) return digits(number * 1e6) + THIN + "µs";
  if (size < 0.9995) return digits(number * 1e3) + THIN + "ms";
  if (size < 119.5) return digits(number) + THIN + "s";
  const sign = number < 0 ? "-" : "";
  const units = [
    [86_400, "d", 3600, "h"],
    [3600, "h", 60, "min"],
    [60, "min", 1, "s"],
  ];
  const [large, name, small, rest] = units.find(([seconds]) => size >= seconds);
  const count = Math.floor(size / large);
  const left = Math.floor((size % large) / small);
  return `${sign}${count}${THIN}${name}${count < 100 && left > 0 ? ` ${left}${THIN}${rest}` : ""}`;
}

/** A value in `unit`. */
function formatValue(number, unit) {
  if (Number.isNaN(number)) return NONE;
  if (!Number.isFinite(number)) return number > 0 ? "∞" : "-∞";
  if (unit === "seconds") return formatSeconds(number);
  if (unit === "bytes") return formatBytes(number);
  if (unit === "ratio") return digits(number * 100) + THIN + "%";
  const name = SYMBOLS[unit] ?? unit;
  return formatPlain(number) + (name && THIN + name);
}

/** A change per second. Seconds per second are a share of time, as of a processor. */
function formatRate(number, unit) {
  if (!Number.isFinite(number)) return NONE;
  if (unit === "seconds") return digits(number * 100) + THIN + "%";
  return formatValue(Math.abs(number) < 1e-9 ? 0 : number, unit === "ratio" ? "" : unit) + "/s";
}

/** What a family's numbers are: rates of what it counts, or values. */
function formatNumber(number, family) {
  if (family.isMoment && number > 1e9) return formatMoment(number);
  if (family.type === "counter") return formatRate(number, family.reading);
  if (family.isRate) return formatRate(number, "");
  return formatValue(number, family.hasBuckets ? "" : family.reading);
}

function formatMoment(seconds) {
  const passed = Date.now() / 1000 - seconds;
  if (Math.abs(passed) < 1) return "now";
  return passed > 0 ? `${formatSeconds(Math.round(passed))} ago` : `in ${formatSeconds(Math.round(-passed))}`;
}

function formatQuantile({ value, beyond }, unit) {
  return `${beyond ? "> " : ""}${formatValue(value, unit)}`;
}

/** By how much `now` is more than `before`. */
function formatChange(now, before) {
  if (before === 0) return "new";
  const change = (now - before) / Math.abs(before);
  if (change >= 9.995) return `×${digits(now / before)}`;
  return `${change > 0 ? "+" : "−"}${digits(Math.abs(change * 100))}${THIN}%`;
}

/** Every digit, in groups of three. */
function exact(number) {
  const [, sign, whole, rest] = /^(-?)(\d+)(.*)$/.exec(String(number)) ?? [];
  if (whole === undefined || rest.includes("e") || whole.length < 5) return String(number);
  return sign + whole.replace(/\B(?=(\d{3})+$)/g, THIN) + rest;
}

function formatClock(milliseconds) {
  return new Date(milliseconds).toLocaleTimeString([], { hour12: false });
}

/** Labels in one line. */
function formatLabels(labels) {
  return labels.map(([name, value]) => `${name}=${value}`).join(" · ");
}
