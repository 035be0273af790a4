/** How a recording becomes the network's input; the recipe is the bundle's, as signals/recipe.py applies it. */

import { LEADS, RecordError } from "./record.js";
import { gaussian, lowPass, resample } from "./filters.js";

const MIN_RATE_HZ = 50;
const MAX_RECORDED_HZ = 16_000;
const MIN_DURATION_S = 5;
const MIN_DEVIATION_MV = 1e-3;

/** {heart, baseline}: 12 leads each at the recipe's rate, parted at its lowest frequency; refuses what is no input. */
export function bandsOf(recipe, record) {
  refuseUnfit(record, recipe.scaling);
  return parted(recipe, record);
}

/** The same lead by lead, with pause(done, all) before each: of a long recording each takes a while. */
export async function bandsByLead(recipe, record, pause) {
  refuseUnfit(record, recipe.scaling);
  const leads = [];
  for (const lead of record.signal) {
    await pause(leads.length, LEADS.length);
    leads.push(parted(recipe, { signal: [lead], rateHz: record.rateHz }));
  }
  return { heart: leads.map(({ heart }) => heart[0]), baseline: leads.map(({ baseline }) => baseline[0]) };
}

/** The same of whatever it is. */
export function parted(recipe, record) {
  const fastestHz = Math.min(recipe.high_hz, 0.45 * record.rateHz);
  const signal = resample(record.signal, record.rateHz, recipe.rate_hz, lowPass(fastestHz));
  const baseline = resample(signal, recipe.rate_hz, recipe.rate_hz, gaussian(recipe.low_hz));
  return { heart: signal.map((lead, row) => lead.map((sample, k) => sample - baseline[row][k])), baseline };
}

/** First sample of each window: evenly spaced, the first at the beginning and the last ending at the end. */
export function startsOf(recipe, nSamples) {
  const spare = Math.max(0, nSamples - windowSamples(recipe));
  const nWindows = 1 + Math.ceil(spare / (recipe.hop_s * recipe.rate_hz));
  const step = nWindows > 1 ? spare / (nWindows - 1) : 0;
  return Array.from({ length: nWindows }, (_, k) => halfToEven(k && k === nWindows - 1 ? spare : k * step));
}

/** Float32Array of (12, window_samples), or of all of a shorter signal: one window cut and scaled. */
export function windowAt(recipe, signal, start) {
  const nSamples = Math.min(windowSamples(recipe), signal[0].length);
  const window = new Float32Array(LEADS.length * nSamples);
  signal.forEach((lead, row) => {
    const part = lead.subarray(start, start + nSamples);
    const scaledPart = recipe.scaling === "standardise" ? standardised(part) : part;
    window.set(scaledPart, row * nSamples);
  });
  return window;
}

/** Samples of a window. */
export function windowSamples(recipe) {
  return halfToEven(recipe.window_s * recipe.rate_hz);
}

function standardised(lead) {
  const mean = Math.fround(lead.reduce((sum, sample) => sum + sample, 0) / lead.length);
  const centred = lead.map((sample) => sample - mean);
  const square = centred.reduce((sum, sample) => sum + sample * sample, 0) / lead.length;
  const deviation = Math.fround(Math.sqrt(square));
  return deviation > Math.fround(MIN_DEVIATION_MV) ? centred.map((sample) => sample / deviation) : centred.fill(0);
}

/** Whole numbers as Python rounds: halves to the even one. */
export function halfToEven(value) {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 ? below + 1 : below;
}

function refuseUnfit(record, scaling) {
  if (record.rateHz < MIN_RATE_HZ) {
    throw new RecordError(`sampled at ${record.rateHz} Hz: at least ${MIN_RATE_HZ} Hz are needed; export it again`);
  }
  if (record.rateHz > MAX_RECORDED_HZ) {
    throw new RecordError(
      `sampled at ${record.rateHz} Hz: at most ${MAX_RECORDED_HZ} Hz are taken; ` +
        "check the rate that the file states, or resample it",
    );
  }
  if (record.durationS < MIN_DURATION_S) {
    throw new RecordError(
      `${Number(record.durationS.toPrecision(6))} s of signal: at least ${MIN_DURATION_S} s are needed`,
    );
  }
  if (record.flatLeads.length === LEADS.length) {
    throw new RecordError("none of the twelve leads ever changes: nothing was recorded; look at the electrodes and the source of the file");
  }
  if (record.unit !== "mV" && scaling !== "standardise") {
    throw new RecordError("signal in NU, standardised by its publisher: this recipe needs its original in millivolts");
  }
}
