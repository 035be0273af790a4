/** What is wrong with a recording, measured before anybody says what it shows; as signals/measures.py and quality.py do it. */

import { LEADS, counted } from "./record.js";
import { lowPass, resample } from "./filters.js";
import { halfToEven, parted } from "./recipe.js";

const QUALITY_HZ = 100;
const QUALITY = { rate_hz: QUALITY_HZ, low_hz: 0.5, high_hz: 40 };
const SHORT_S = 10;
export const STILL_MV = 1e-3;
const STILL_RATE_HZ = 1000;
export const FLAT_S = 1;
const CLIPPED_S = 0.04;
const MAINS_WINDOW_S = 2;
const LIMBS = LEADS.slice(0, 6);
const ARMS = ["I", "II", "III", "aVR", "aVL"];
const ELECTRODES = {
  "right arm": ["I", "II"],
  "left arm": ["I", "III"],
  "left leg": ["II", "III"],
  ...Object.fromEntries([1, 2, 3, 4, 5, 6].map((n) => [`C${n}`, [`V${n}`]])),
};
const MOST_CLIPPED = 0.01;
const MOST_WANDER_MV = 0.75;
const MOST_MAINS_MV = 0.05;
const MOST_NOISE_MV = 0.011;
const MOST_BURST = 1.9;
const LEAST_AMPLITUDE_MV = 0.15;
const MOST_AMPLITUDE_MV = 4.5;
const LEAST_ARMS = 0;
const MOST_CONTRADICTION = 0.1;
const LEAST_BEATS = 3;
const BEAT_S = 0.08;
const LAWS = [
  [1, -1, 1, 0, 0, 0],
  [0.5, 0.5, 0, 1, 0, 0],
  [-1, 0.5, 0, 0, 1, 0],
  [0.5, -1, 0, 0, 0, 1],
];
const TURNED = 0.1;
const LEFT = 0.3;
const LEAST_APART = 1e-3;
const UNUSABLE_FLAT = 0.5;
const UNUSABLE_CLIPPED = 0.05;
const UNUSABLE_WANDER_MV = 5;
const UNUSABLE_NOISE_MV = 0.1;

/** All findings in a recording in millivolts, the gravest first: {kind, leads, value, limit, unit, unusable}.
 *
 * bands: its own by the recipe, measured anew where quality is measured on others. */
export function assessed(recipe, record, bands) {
  const alike = Object.entries(QUALITY).every(([name, value]) => recipe[name] === value);
  const { heart: clean, baseline } = alike ? bands : parted(QUALITY, record);
  const { signal, rateHz } = record;
  const still = signal.map((lead) => stillShare(lead, rateHz));
  const clipped = signal.map((lead, row) => (still[row] > UNUSABLE_FLAT ? 0 : clippedShare(lead, rateHz)));
  const extents = clean.map((lead) => extentOf(lead, 0.5));
  const noBeats = beatFindings(clean);
  const findings = [
    ...flatFindings(still),
    ...over("saturated", clipped, MOST_CLIPPED, UNUSABLE_CLIPPED, "of the time"),
    ...over("noise", noiseMv(clean), MOST_NOISE_MV, UNUSABLE_NOISE_MV, "mV"),
    ...over("baseline wander", baseline.map((lead) => extentOf(lead, 2)), MOST_WANDER_MV, UNUSABLE_WANDER_MV, "mV"),
    ...over("burst", clean.map(burstRatio), MOST_BURST, Infinity, "times the usual second"),
    ...mainsFindings(record),
    ...amplitudeFindings(extents, still),
    ...noBeats,
    ...(noBeats.length ? [] : armFindings(clean, still)), // told by QRS complexes
    ...contradictionFindings(clean, still),
  ];
  if (Math.round(record.durationS * 100) / 100 < SHORT_S) findings.push(finding("short", LEADS, record.durationS, SHORT_S, "s"));
  return [...findings.filter((one) => one.unusable), ...findings.filter((one) => !one.unusable)];
}

/** A finding in words; windows: of a long recording, in how many. */
export function inWords({ kind, leads, value, limit, unit, windows }) {
  const where = leads.length === LEADS.length ? "all leads" : leads.join(", ");
  const often = windows ? `, in ${counted(windows, "window")}` : "";
  if (kind === "electrode") return `electrode missing: ${unit} (${where} flat)${often}`;
  const size = short(value) === short(limit) ? short(value, 6) : short(value);
  const much = unit === "of the time" && size === "1" ? "all" : size;
  return `${kind} in ${where}: ${much} ${unit} (limit ${short(limit)})${often}`;
}

function short(value, nDigits = 3) {
  return String(Number(value.toPrecision(nDigits)));
}

function finding(kind, leads, value, limit, unit, unusable = false) {
  return { kind, leads, value, limit, unit, unusable };
}

/** How far apart the samples are by which a lead stands still or moves: a millisecond, and neighbours at least. */
export function samplesApart(rateHz) {
  return Math.ceil(rateHz / STILL_RATE_HZ);
}

function stillShare(lead, rateHz) {
  const apart = samplesApart(rateHz);
  const moves = (k) => Math.abs(Math.fround(lead[k + apart] - lead[k])) >= Math.fround(STILL_MV / 2);
  return shareInRuns(lead.length - apart, (k) => !moves(k), FLAT_S * rateHz);
}

function clippedShare(lead, rateHz) {
  const top = lead.reduce((a, b) => Math.max(a, b), -Infinity);
  const bottom = lead.reduce((a, b) => Math.min(a, b), Infinity);
  return shareInRuns(lead.length, (k) => lead[k] === top || lead[k] === bottom, CLIPPED_S * rateHz);
}

/** Share of n samples that lie in runs of at least `least` for which `holds`. */
function shareInRuns(n, holds, least) {
  let [total, run] = [0, 0];
  for (let k = 0; k <= n; k++) {
    if (k < n && holds(k)) run++;
    else {
      if (run && run >= least) total += run;
      run = 0;
    }
  }
  return total / Math.max(1, n);
}

/** Root mean square from 20 to 40 Hz in the quieter tenths of a second, one a lead. */
function noiseMv(clean) {
  const slower = resample(clean, QUALITY_HZ, QUALITY_HZ, lowPass(20));
  return clean.map((lead, row) => {
    const fast = lead.map((sample, k) => sample - slower[row][k]);
    const power = partsOf(fast, 0.1, QUALITY_HZ).map((part) => part.reduce((sum, x) => sum + x * x, 0) / part.length);
    return percentile(power.map(Math.sqrt), 40);
  });
}

function burstRatio(lead) {
  const extents = partsOf(lead, 1, QUALITY_HZ).map((part) => Math.max(...part) - Math.min(...part));
  return Math.max(...extents) / Math.max(percentile(extents, 50), 10 * STILL_MV);
}

function mainsFindings(record) {
  return [50, 60]
    .filter((mainsHz) => record.rateHz > 2.2 * mainsHz)
    .flatMap((mainsHz) => {
      const values = record.signal.map((lead) => mainsMv(lead, record.rateHz, mainsHz));
      return over("mains noise", values, MOST_MAINS_MV, Infinity, `mV at ${mainsHz} Hz`);
    });
}

/** Amplitude at a mains frequency above that of its neighbourhood, under a Hann window. */
function mainsMv(lead, rateHz, mainsHz) {
  const parts = partsOf(lead, MAINS_WINDOW_S, rateHz);
  const n = parts[0].length;
  const taper = Float64Array.from({ length: n }, (_, k) => 0.5 - 0.5 * Math.cos((2 * Math.PI * k) / (n - 1)));
  const scale = 2 / taper.reduce((sum, weight) => sum + weight, 0) / parts.length;
  const [there, around] = [[], []];
  for (let bin = 0; bin <= n >> 1; bin++) {
    const distance = Math.abs((bin * rateHz) / n - mainsHz);
    if (distance > 5 || (distance > 0.5 && distance < 2)) continue;
    const amplitude = scale * parts.reduce((sum, part) => sum + magnitude(part, taper, bin), 0);
    (distance <= 0.5 ? there : around).push(amplitude);
  }
  return Math.max(...there) - percentile(around, 50);
}

/** Of one bin of the discrete Fourier transform, by a rotating phasor. */
function magnitude(part, taper, bin) {
  const angle = (2 * Math.PI * bin) / part.length;
  const [turnRe, turnIm] = [Math.cos(angle), -Math.sin(angle)];
  let [re, im, sumRe, sumIm] = [1, 0, 0, 0];
  for (let k = 0; k < part.length; k++) {
    const value = part[k] * taper[k];
    sumRe += value * re;
    sumIm += value * im;
    [re, im] = [re * turnRe - im * turnIm, re * turnIm + im * turnRe];
  }
  return Math.hypot(sumRe, sumIm);
}

function flatFindings(still) {
  const findings = over("flat", still, 0, UNUSABLE_FLAT, "of the time");
  const dead = new Set(findings.filter((one) => one.unusable).flatMap((one) => one.leads));
  for (const [electrode, leads] of Object.entries(ELECTRODES)) {
    if (leads.every((lead) => dead.has(lead))) {
      findings.push(finding("electrode", leads, 1, 0, electrode, true));
    }
  }
  return findings;
}

/** The median lead, so that one loose electrode is no unit error. */
function amplitudeFindings(extents, still) {
  const moving = extents.filter((_, row) => still[row] <= UNUSABLE_FLAT);
  if (!moving.length) return [];
  const typical = percentile(moving, 50);
  const limit = typical > MOST_AMPLITUDE_MV ? MOST_AMPLITUDE_MV : typical < LEAST_AMPLITUDE_MV ? LEAST_AMPLITUDE_MV : 0;
  return limit ? [finding("amplitude", LEADS, typical, limit, "mV: is the unit right?", true)] : [];
}

/** The correlation of V6 with I less that with aVR; below 0 when the arm electrodes are swapped. */
function armFindings(clean, still) {
  const rows = ["I", "aVR", "V6"].map((lead) => LEADS.indexOf(lead));
  if (rows.some((row) => still[row] > UNUSABLE_FLAT)) return [];
  const [one, right, six] = rows.map((row) => clean[row]);
  const agreement = correlation(one, six) - correlation(right, six);
  const unit = "agreement of I and aVR with V6";
  return agreement < LEAST_ARMS ? [finding("swapped arms", ARMS, agreement, LEAST_ARMS, unit, true)] : [];
}

/** How far the limb leads are off the laws of Einthoven and Goldberger; gains alone leave each usable by itself. */
function contradictionFindings(clean, still) {
  if (LIMBS.some((_, row) => still[row] > UNUSABLE_FLAT)) return [];
  const products = LIMBS.map((_, row) => LIMBS.map((_, other) => dot(clean[row], clean[other])));
  const largest = Math.max(...LIMBS.map((_, row) => products[row][row]), 1e-12);
  const off = Math.max(...LAWS.map((law) => dot(law, products.map((row) => dot(row, law)))), 0);
  const size = Math.sqrt(off / largest);
  if (!(size > MOST_CONTRADICTION)) return [];
  const turned = isTurned(products);
  const why = turned ? "one is turned over or misnamed" : "their gains differ";
  const unit = `of their size off Einthoven's law: ${why}`;
  return [finding("contradiction", LIMBS, size, MOST_CONTRADICTION, unit, turned)];
}

/** Whether no gains could mend it: III, aVR, aVL or aVF, as a sum of I and II, has a wrong sign or is something else. */
function isTurned(products) {
  const [[one, both], [, two]] = products;
  const apart = Math.max(one * two - both * both, 1e-24);
  if (apart < LEAST_APART * one * two) return true;
  return LAWS.some((law, number) => {
    const row = number + 2;
    const [withOne, withTwo] = [products[0][row], products[1][row]];
    const parts = [(withOne * two - withTwo * both) / apart, (withTwo * one - withOne * both) / apart];
    const square = products[row][row];
    const left = square - parts[0] * withOne - parts[1] * withTwo;
    const turned = (part, k) => Math.sign(law[k]) * part * Math.sqrt(products[k][k] / square) > TURNED;
    return parts.some(turned) || left > LEFT ** 2 * square;
  });
}

/** How much more a lead moves in its beats than between them, in parts of 80 ms; three leads have more. */
function beatFindings(clean) {
  const ratios = clean.map((lead) => {
    const steps = lead.subarray(1).map((sample, k) => Math.abs(sample - lead[k]));
    const movement = partsOf(steps, BEAT_S, QUALITY_HZ).map((part) => part.reduce((sum, step) => sum + step, 0));
    return percentile(movement, 97) / Math.max(percentile(movement, 30), 1e-6);
  });
  const ratio = percentile(ratios, 75);
  return ratio < LEAST_BEATS ? [finding("no beats", LEADS, ratio, LEAST_BEATS, "times what lies between them", true)] : [];
}

function dot(a, b) {
  return a.reduce((sum, value, k) => sum + value * b[k], 0);
}

function correlation(a, b) {
  const centred = (x) => {
    const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
    return Float64Array.from(x, (value) => value - mean);
  };
  const [p, q] = [centred(a), centred(b)];
  const scale = Math.sqrt(dot(p, p) * dot(q, q));
  return scale ? dot(p, q) / scale : 0;
}

/** Between the samples at the percentiles `percent` and 100 - `percent`. */
function extentOf(lead, percent) {
  const sorted = Float32Array.from(lead).sort();
  const last = lead.length - 1;
  return sorted[halfToEven((1 - percent / 100) * last)] - sorted[halfToEven((percent / 100) * last)];
}

/** Linear between the two nearest ranks. */
export function percentile(values, percent) {
  const sorted = Float64Array.from(values).sort();
  const at = ((sorted.length - 1) * percent) / 100;
  const [low, high] = [Math.floor(at), Math.ceil(at)];
  return sorted[low] + (sorted[high] - sorted[low]) * (at - low);
}

/** Whole parts of a length, at least one. */
export function partsOf(lead, lengthS, rateHz) {
  const length = Math.min(halfToEven(lengthS * rateHz), lead.length);
  return Array.from({ length: Math.floor(lead.length / length) }, (_, k) => lead.subarray(k * length, (k + 1) * length));
}

/** One finding for the leads beyond what can be used, one for those beyond the limit. */
function over(kind, values, limit, unusable, unit) {
  const findings = [];
  for (const [low, high, grave] of [[unusable, Infinity, true], [limit, unusable, false]]) {
    const rows = values.flatMap((value, row) => (value > low && value <= high ? [row] : []));
    if (rows.length) {
      const worst = Math.max(...rows.map((row) => values[row]));
      findings.push(finding(kind, rows.map((row) => LEADS[row]), worst, low, unit, grave));
    }
  }
  return findings;
}
