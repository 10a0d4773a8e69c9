// What the page knows: families, their series, and what became of them in the last minutes.
//
// Each reading of the metrics is a tick. Of each tick a series keeps one number, the one that people look at: a counter's rate, a gauge's
// value, how many observations a histogram or a summary gets a second. All series keep it at the same place of a ring, so that one ring
// of times is enough.

const TICKS = 240;

/** Series with a ring, at most: about 40 MB. Further ones have their present values alone. */
const MAX_RINGS = 20_000;

/** Quantiles are of one to two such spans. */
const WINDOW_MS = 60_000;

/** Ticks that "now" is the mean of, and what it is compared with, where changes are looked for. */
const RECENT = 3;
const BEFORE = 60;

const TYPES_WITH_BUCKETS = ["histogram", "gaugehistogram"];

class Family {
  constructor(name, help = "") {
    this.name = name;
    this.type = "unknown";
    this.unit = "";
    this.help = help;
    this.seen = -1;
    this.members = new Map();
    this.ring = new Float64Array(TICKS).fill(NaN);
    this.number = NaN;
  }

  get hasBuckets() {
    return TYPES_WITH_BUCKETS.includes(this.type);
  }

  /** Whether its numbers are changes per second. */
  get isRate() {
    return ["counter", "histogram", "summary"].includes(this.type);
  }

  /** The unit that its name ends in, where no line says it. */
  get reading() {
    if (this.unit) return this.unit;
    return /_(seconds|bytes|ratio|celsius|percent|meters|volts|amperes|joules|grams)(_total)?$/.exec(this.name)?.[1] ?? "";
  }

  /** Whether several of its series are best put together as their mean; a sum of temperatures says nothing. */
  get isMean() {
    return !this.isRate && ["ratio", "percent", "celsius", "seconds", "volts"].includes(this.reading);
  }

  /** Whether its values are moments. */
  get isMoment() {
    return this.type === "gauge" && this.reading === "seconds" && /time|created|since|last/.test(this.name);
  }

  /** One number of many. */
  fold(numbers) {
    let sum = 0;
    let count = 0;
    for (const number of numbers) {
      if (Number.isNaN(number)) continue;
      sum += number;
      count += 1;
    }
    if (count === 0) return NaN;
    return this.isMean ? sum / count : sum;
  }
}

class Series {
  constructor(family, key, labels) {
    this.family = family;
    this.key = key;
    this.labels = labels;
    /** What a search looks through. */
    this.text = `${family.name} ${labels.map(([name, value]) => `${name}=${value}`).join(" ")}`.toLowerCase();
    this.value = NaN;
    this.count = NaN;
    this.sum = NaN;
    this.created = NaN;
    this.bounds = [];
    this.counts = [];
    this.quantiles = [];
    this.quantileValues = [];
    this.seen = -1;
    /** At the tick before. */
    this.lastTotal = NaN;
    this.lastCreated = NaN;
    this.number = NaN;
    this.ring = null;
    /** Bucket counts at the beginning of this window, and of the one before. */
    this.windows = [null, null];
  }

  /** What only grows, if it has something of the kind. */
  get total() {
    return this.family.type === "counter" ? this.value : this.count;
  }
}

class Store {
  constructor() {
    this.families = new Map();
    /** What stands before a value -> where the value goes. */
    this.targets = new Map();
    this.tick = 0;
    /** When each was, in milliseconds. */
    this.times = new Float64Array(TICKS).fill(NaN);
    /** When the metrics were read last; ticks without a reading do not count. */
    this.lastRead = NaN;
    this.size = 0;
    this.rings = 0;
    this.windowStarts = [NaN, NaN];
  }

  family(name) {
    let family = this.families.get(name);
    if (!family) this.families.set(name, (family = new Family(name)));
    family.seen = this.tick;
    return family;
  }

  series(family, labels) {
    const key = JSON.stringify(labels);
    let series = family.members.get(key);
    if (!series) {
      series = new Series(family, key, labels);
      if (this.rings < MAX_RINGS) {
        series.ring = new Float64Array(TICKS).fill(NaN);
        this.rings += 1;
      }
      family.members.set(key, series);
    }
    return series;
  }

  /** A value of the tick that is being read. */
  take({ series, part, at }, value) {
    series.seen = this.tick;
    if (part === "bucket") series.counts[at] = value;
    else if (part === "quantile") series.quantileValues[at] = value;
    else series[part] = value;
  }

  /** Ends a tick: what was not on the page is gone, and everything else has its number. */
  commit(time) {
    const at = this.tick % TICKS;
    const seconds = (time - this.lastRead) / 1000;
    this.lastRead = time;
    this.times[at] = time;
    this.size = 0;
    let gone = 0;
    for (const family of this.families.values()) {
      for (const series of family.members.values()) {
        if (series.seen !== this.tick) {
          family.members.delete(series.key);
          if (series.ring) this.rings -= 1;
          gone += 1;
          continue;
        }
        series.number = family.isRate ? rate(series, seconds) : series.family.hasBuckets ? series.count : series.value;
        series.lastTotal = series.total;
        series.lastCreated = series.created;
        if (series.ring) series.ring[at] = series.number;
      }
      if (family.members.size === 0 && family.seen !== this.tick) {
        this.families.delete(family.name);
        continue;
      }
      this.size += family.members.size;
      family.number = family.fold(numbersOf(family.members.values()));
      family.ring[at] = family.number;
    }
    if (gone > 0) {
      for (const [prefix, { series }] of this.targets) if (series.seen !== this.tick) this.targets.delete(prefix);
    }
    if (!(time - this.windowStarts[1] < WINDOW_MS)) this.turnWindow(time);
    this.tick += 1;
  }

  /** A tick of which nothing is known, so that a chart shows a gap. */
  skip(time) {
    const at = this.tick % TICKS;
    this.times[at] = time;
    for (const family of this.families.values()) {
      family.ring[at] = NaN;
      for (const series of family.members.values()) if (series.ring) series.ring[at] = NaN;
    }
    this.tick += 1;
  }

  turnWindow(time) {
    const first = Number.isNaN(this.windowStarts[1]);
    this.windowStarts = [first ? time : this.windowStarts[1], time];
    for (const family of this.families.values()) {
      if (!family.hasBuckets) continue;
      for (const series of family.members.values()) {
        const counts = series.counts.slice();
        series.windows = [first ? counts : series.windows[1], counts];
      }
    }
  }

  /** Times, oldest first, as places of the rings. */
  places() {
    const first = Math.max(0, this.tick - TICKS);
    return Array.from({ length: this.tick - first }, (_, index) => (first + index) % TICKS);
  }

  /** Series whose numbers left where they were, those that did most first: `{series, now, before, score}`. */
  changes(limit) {
    const places = this.places();
    if (places.length < 2 * RECENT) return [];
    const recent = places.slice(-RECENT);
    const earlier = places.slice(-RECENT - BEFORE, -RECENT);
    const found = [];
    for (const family of this.families.values()) {
      if (family.isMoment) continue;
      for (const series of family.members.values()) {
        if (!series.ring) continue;
        const [now] = moments(series.ring, recent);
        const [before, deviation, count] = moments(series.ring, earlier);
        const size = Math.max(Math.abs(now), Math.abs(before));
        // How far it went, as a multiple of how far it goes anyway and a little of what it is.
        const score = Math.abs(now - before) / (0.05 * size + deviation);
        if (count >= RECENT && score > 1) found.push({ series, now, before, score });
      }
    }
    return found.sort((a, b) => b.score - a.score || (a.series.text < b.series.text ? -1 : 1)).slice(0, limit);
  }
}

/** How much a total grew a second. One that shrank, or was created anew, began again at zero. */
function rate(series, seconds) {
  const { total, lastTotal, created, lastCreated } = series;
  if (Number.isNaN(lastTotal) || !(seconds > 0)) return NaN;
  const again = total < lastTotal || (created !== lastCreated && !Number.isNaN(created));
  return (again ? total : total - lastTotal) / seconds;
}

function* numbersOf(members) {
  for (const series of members) yield series.number;
}

/** Mean, standard deviation and number of what is known at `places`. */
function moments(ring, places) {
  let count = 0;
  let sum = 0;
  let squares = 0;
  for (const place of places) {
    const number = ring[place];
    if (!Number.isFinite(number)) continue;
    count += 1;
    sum += number;
    squares += number * number;
  }
  const mean = sum / count;
  return [mean, Math.sqrt(Math.max(0, squares / count - mean * mean)), count];
}

/** The buckets of these series together, each for itself: `{bounds, counts, total}`; recent ones, or all since the start. */
function bucketsOf(members, recent) {
  let bounds = null;
  const counts = [];
  for (const series of members) {
    if (bounds === null) bounds = series.bounds;
    // Series of one family have the same thresholds, or cannot be put together.
    if (series.bounds.length !== bounds.length || series.bounds.some((bound, at) => bound !== bounds[at])) continue;
    // A series that was born in the window began at zero.
    const base = recent ? series.windows[0] : null;
    const restarted = base && base[base.length - 1] > series.counts[series.counts.length - 1];
    for (let at = 0; at < bounds.length; at += 1) {
      counts[at] = (counts[at] ?? 0) + series.counts[at] - (base && !restarted ? base[at] : 0);
    }
  }
  if (bounds === null || bounds.length === 0) return null;
  const total = counts[counts.length - 1];
  return { bounds, counts: counts.map((count, at) => count - (at > 0 ? counts[at - 1] : 0)), total };
}

/** The quantile `q`, estimated: evenly spread within its bucket. `{value, beyond}`: beyond the last threshold nothing is known. */
function quantile({ bounds, counts, total }, q) {
  let rest = q * total;
  const last = bounds.length - 1;
  for (let at = 0; at < last; at += 1) {
    if (counts[at] > 0 && rest <= counts[at]) {
      const below = at > 0 ? bounds[at - 1] : Math.min(0, bounds[0]);
      return { value: below + ((bounds[at] - below) * rest) / counts[at], beyond: false };
    }
    rest -= counts[at];
  }
  return { value: last > 0 ? bounds[last - 1] : NaN, beyond: true };
}
