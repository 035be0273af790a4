/** Where the network looked, as bands behind the traces; not a measurement, and off until asked for. */

import { DIAGNOSES } from "./diagnoses.js";

/** Bands {startS, endS, weight 0..1} of the attention for one diagnosis, overlapping windows averaged. */
export function bandsOf({ starts_s, window_s, weights }, diagnosis) {
  const row = DIAGNOSES.indexOf(diagnosis);
  const nSteps = weights[0][row].length;
  const stepS = window_s / nSteps;
  const cells = new Map();
  starts_s.forEach((startS, window) => {
    weights[window][row].forEach((weight, k) => {
      const cell = Math.round(startS / stepS) + k;
      const [sum, n] = cells.get(cell) ?? [0, 0];
      cells.set(cell, [sum + weight, n + 1]);
    });
  });
  const means = [...cells].map(([cell, [sum, n]]) => [cell, sum / n]);
  const most = Math.max(...means.map(([, weight]) => weight));
  return means
    .map(([cell, weight]) => ({ startS: cell * stepS, endS: (cell + 1) * stepS, weight: weight / most }))
    .filter(({ weight }) => weight > 0.05);
}

/** The diagnosis whose attention is shown: the one furthest above its threshold. */
export function shownDiagnosis(report) {
  const excess = (name) => (report.probabilities[name] ?? 0) / report.thresholds[name];
  return DIAGNOSES.reduce((best, name) => (excess(name) > excess(best) ? name : best));
}
