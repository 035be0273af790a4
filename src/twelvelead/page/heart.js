/** R peaks and the heart rate, from all independent leads together; as signals/heart.py finds them. */

import { gaussian, lowPass, resample, sumOf } from "./filters.js";
import { FLAT_S, partsOf, percentile, samplesApart, STILL_MV } from "./quality.js";
import { halfToEven } from "./recipe.js";
import { INDEPENDENT_LEADS, LEADS } from "./record.js";

const RHYTHM = "AF";
const RATE_HZ = 200;
const LOW_HZ = 8;
const HIGH_HZ = 25;
const SMOOTH_HZ = 12;
const REFRACTORY_S = 0.25;
const FAST_REFRACTORY_S = 0.2;
const FAST_S = 0.265;
const WINDOW_S = 1.5;
const LEAST_HEIGHT = 0.42;
const LEAST_MOVING_MV = 0.005;
const LEAST_MOVING = 0.2;
const LEAST_ACTIVITY = 0.1;
const LEAST_GAP_S = 2;
const LEAST_GAP = 2;
const LEAST_INTERVALS = 2;

/** {heart_rate, heart_rate_in_words}, with the fields of the server's JSON; no rate where no rhythm could be seen.
 *
 * pause(done, all) between the leads. */
export async function heartOf(record, withheld, pause) {
  const rate = RHYTHM in withheld ? null : await heartRate(record, pause);
  return { heart_rate: rate, heart_rate_in_words: rateInWords(rate, withheld) };
}

function rateInWords(rate, withheld) {
  if (RHYTHM in withheld) return `withheld: ${withheld[RHYTHM]}`;
  if (rate === null) return "not found: fewer than two intervals between R peaks";
  const { mean_bpm: mean, slowest_bpm: slowest, fastest_bpm: fastest, lost_s: lost, gap_s: gap } = rate;
  return [
    `${mean} beats a minute on average`,
    `${slowest} to ${fastest} from beat to beat`,
    ...(lost ? [`without ${lost.toFixed(1)} s in which most leads stand still`] : []),
    ...(gap ? [`${gap.toFixed(1)} s without a beat: a pause, or one that could not be seen`] : []),
  ].join(", ");
}

/** Beats per minute over all intervals between R peaks but those in which most leads stand still; null for too few. */
async function heartRate(record, pause) {
  const moving = movingLeads(record);
  const peaksS = await rPeaksS(moving, record.rateHz, pause);
  const boundsS = [0, ...peaksS, record.signal[0].length / record.rateHz];
  const isLost = lostAmong(stillSpansS(moving, record.rateHz), boundsS);
  const [seen, lost] = [[], []];
  let without = 0;
  for (let k = 0; k + 1 < boundsS.length; k++) {
    const interval = boundsS[k + 1] - boundsS[k];
    if (isLost(k)) {
      lost.push(interval);
      continue;
    }
    without = Math.max(without, interval);
    if (k > 0 && k + 2 < boundsS.length) seen.push(interval);
  }
  if (seen.length < LEAST_INTERVALS) return null;
  const [longest, shortest] = [largest(seen), seen.reduce((a, b) => Math.min(a, b))];
  const isGap = without > Math.max(LEAST_GAP_S, LEAST_GAP * percentile(seen, 50));
  return {
    mean_bpm: halfToEven(60 / (sumOf(seen) / seen.length)),
    slowest_bpm: halfToEven(60 / longest),
    fastest_bpm: halfToEven(60 / shortest),
    n_peaks: peaksS.length,
    lost_s: tenths(sumOf(lost)),
    gap_s: isGap ? tenths(without) : 0,
  };
}

/** A function (interval) -> whether most of the leads that move at all stand still for a second within it. */
function lostAmong(spansS, boundsS) {
  const long = spansS.filter(([begin, end]) => end - begin >= FLAT_S);
  return (k) => long.some(([begin, end]) => begin < boundsS[k + 1] && end >= boundsS[k]);
}

/** When each span begins and ends in which most of the moving leads stand still, in seconds. */
function stillSpansS(moving, rateHz) {
  const apart = samplesApart(rateHz);
  const stands = (lead, k) => Math.abs(Math.fround(lead[k + apart] - lead[k])) < Math.fround(STILL_MV / 2);
  const n = moving.length ? moving[0].length - apart : 0;
  const spans = [];
  let begin = null;
  for (let k = 0; k <= n; k++) {
    const still = k < n && 2 * moving.reduce((count, lead) => count + stands(lead, k), 0) > moving.length;
    if (still && begin === null) begin = k;
    if (!still && begin !== null) {
      spans.push([begin / rateHz, k / rateHz]);
      begin = null;
    }
  }
  return spans;
}

/** Times of the QRS complexes in seconds, ascending: where the leads together are largest from 8 to 25 Hz. */
async function rPeaksS(moving, rateHz, pause) {
  if (!moving.length) return [];
  const activity = await activityOf(moving, rateHz, pause);
  if (!activity.length) return [];
  const beating = highestOfWindows(activity).filter((value) => value > LEAST_ACTIVITY);
  const highEnough = LEAST_HEIGHT * percentile(beating, 50);
  const [slow, fast] = [REFRACTORY_S, FAST_REFRACTORY_S].map((apartS) =>
    apartAt(activity, halfToEven(apartS * RATE_HZ)).filter((k) => activity[k] >= highEnough),
  );
  const intervals = fast.slice(1).map((k, n) => k - fast[n]);
  const isFast = fast.length > 2 && percentile(intervals, 50) <= FAST_S * RATE_HZ;
  return (isFast ? fast : slow).map((k) => k / RATE_HZ);
}

/** Mean over the leads of their size from 8 to 25 Hz, each in units of its usual peak; at 200 Hz; empty of none. */
async function activityOf(moving, rateHz, pause) {
  const shares = [];
  for (const [row, lead] of moving.entries()) {
    await pause(row, moving.length);
    const height = heightOf(lead, rateHz);
    const usual = usualPeak(height);
    if (usual < Infinity) shares.push(Float64Array.from(height, (value) => value / usual));
  }
  if (!shares.length) return new Float64Array(0);
  return shares[0].map((_, k) => sumOf(shares.map((lead) => lead[k])) / shares.length);
}

/** The size of one lead from 8 to 25 Hz, smoothed; at 200 Hz. */
function heightOf(lead, rateHz) {
  const [signal] = resample([lead], rateHz, RATE_HZ, lowPass(Math.min(HIGH_HZ, 0.45 * rateHz)));
  const [slow] = resample([signal], RATE_HZ, RATE_HZ, gaussian(LOW_HZ));
  const size = signal.map((sample, k) => Math.abs(Math.fround(sample - slow[k])));
  return resample([size], RATE_HZ, RATE_HZ, gaussian(SMOOTH_HZ))[0];
}

/** The independent leads that are not flat throughout. */
function movingLeads(record) {
  const leads = INDEPENDENT_LEADS.map((name) => record.signal[LEADS.indexOf(name)]);
  const least = Math.fround(STILL_MV);
  return leads.filter((lead) => Math.fround(largest(lead) - lead.reduce((a, b) => Math.min(a, b), Infinity)) > least);
}

/** Median of the highest values of the windows in which a lead moves; infinite where these are too few. */
function usualPeak(lead) {
  const highest = highestOfWindows(lead);
  const moving = highest.filter((value) => value > LEAST_MOVING_MV);
  return moving.length >= Math.max(2, LEAST_MOVING * highest.length) ? percentile(moving, 50) : Infinity;
}

/** The highest values of successive windows, each long enough for a slow heart's beat. */
function highestOfWindows(values) {
  return partsOf(values, WINDOW_S, RATE_HZ).map(largest);
}

/** Indices of the local maxima that are the highest within `distance` on both sides. */
function apartAt(values, distance) {
  const found = [];
  let before = -Infinity;
  for (let k = 0; k < values.length; k++) {
    if (!(values[k] > 0) || values[k] < values[k - 1] || values[k] < values[k + 1]) continue;
    if (values[k] < largest(values.subarray(Math.max(0, k - distance), k + distance + 1))) continue;
    if (k - before > distance) found.push(k);
    before = k;
  }
  return found;
}

/** To one decimal as Python rounds: of what lies halfway, to the even one. */
function tenths(value) {
  const isHalfway = Number.isInteger(4 * value) && !Number.isInteger(2 * value);
  return isHalfway ? halfToEven(10 * value) / 10 : Number(value.toFixed(1));
}

function largest(values) {
  return values.reduce((a, b) => Math.max(a, b), -Infinity);
}
