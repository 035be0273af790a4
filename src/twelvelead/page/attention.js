/** Where the network looked, as bands behind the traces; not a measurement, and off until asked for. */

import { DIAGNOSES } from "./diagnoses.js";

const BAND_S = 0.1;
const LEAST_WEIGHT = 0.05;

/** Bands {startS, endS, weight 0..1} of the attention for one diagnosis, overlapping windows averaged. */
export function bandsOf({ starts_s, window_s, weights }, diagnosis, durationS) {
  const row = DIAGNOSES.indexOf(diagnosis);
  const windowS = Math.min(window_s, durationS);
  const nBands = Math.ceil(durationS / BAND_S);
  const [total, seen] = [new Float64Array(nBands), new Float64Array(nBands)];
  starts_s.forEach((startS, window) => {
    const steps = weights[window][row];
    const last = Math.min(nBands, Math.ceil((startS + windowS) / BAND_S) + 1);
    for (let k = Math.max(0, Math.floor(startS / BAND_S) - 1); k < last; k++) {
      const step = Math.floor((((k + 0.5) * BAND_S - startS) / windowS) * steps.length);
      if (step < 0 || step >= steps.length) continue;
      total[k] += steps[step];
      seen[k] += 1;
    }
  });
  const means = total.map((sum, k) => sum / Math.max(seen[k], 1));
  const most = Math.max(means.reduce((a, b) => Math.max(a, b), 0), 1e-9);
  return [...means]
    .map((mean, k) => ({ startS: k * BAND_S, endS: Math.min((k + 1) * BAND_S, durationS), weight: mean / most }))
    .filter(({ weight }) => weight >= LEAST_WEIGHT);
}

/** The diagnosis whose attention is shown: the one furthest above its threshold; null where all are withheld. */
export function shownDiagnosis({ probabilities, thresholds }) {
  const excess = (name) => probabilities[name] / thresholds[name];
  const known = DIAGNOSES.filter((name) => probabilities[name] !== null);
  return known.reduce((best, name) => (best === null || excess(name) > excess(best) ? name : best), null);
}
