/** The recording that the page opens with: ten seconds that a simulator made; nobody's heart. */

import { LEADS } from "./record.js";

export const EXAMPLE_NAME = "simulated example";
const RATE_HZ = 500;
const N_SAMPLES = 5000;
const LIMB = { I: [0.75, 0.3], II: [1.1, 0.35] };
const CHEST = {
  V1: [0.25, -0.9, -0.08],
  V2: [0.35, -1.3, 0.3],
  V3: [0.6, -0.9, 0.38],
  V4: [1.2, -0.5, 0.36],
  V5: [1.3, -0.25, 0.3],
  V6: [1.0, -0.12, 0.24],
};

/** The example as a file {path, size, bytes()} of CSV, so that it goes the way of every recording. */
export function exampleFile() {
  const leads = simulated();
  const rows = [`# rate_hz: ${RATE_HZ}`, "# unit: mV", LEADS.join(",")];
  for (let k = 0; k < N_SAMPLES; k++) rows.push(LEADS.map((lead) => leads[lead][k].toFixed(3)).join(","));
  const bytes = new TextEncoder().encode(`${rows.join("\n")}\n`);
  return { path: `${EXAMPLE_NAME}.csv`, size: bytes.length, bytes: async () => bytes };
}

/** Each wave a Gaussian; III, aVR, aVL and aVF follow from I and II; a little noise, the same each time. */
function simulated() {
  const random = steadyRandom(7);
  const leads = Object.fromEntries([...Object.keys(LIMB), ...Object.keys(CHEST)].map((lead) => [lead, noise(random)]));
  for (let beat = 0; beat < 12; beat++) {
    const atS = 0.45 + 0.83 * beat + 0.02 * Math.sin(1.9 * beat);
    for (const [lead, [r, t]] of Object.entries(LIMB)) {
      waves(leads[lead], atS, [[-0.16, 0.022, 0.16 * r], [-0.028, 0.008, -0.08], [0, 0.011, r], [0.03, 0.01, -0.15 * r], [0.29, 0.05, t]]);
    }
    for (const [lead, [r, s, t]] of Object.entries(CHEST)) {
      waves(leads[lead], atS, [[-0.16, 0.022, 0.07], [-0.006, 0.011, r], [0.024, 0.012, s], [0.29, 0.05, t]]);
    }
  }
  const derive = (rule) => leads.I.map((i, k) => rule(i, leads.II[k]));
  return {
    ...leads,
    III: derive((i, ii) => ii - i),
    aVR: derive((i, ii) => -(i + ii) / 2),
    aVL: derive((i, ii) => i - ii / 2),
    aVF: derive((i, ii) => ii - i / 2),
  };
}

function waves(lead, atS, parts) {
  for (const [offsetS, widthS, heightMv] of parts) {
    const [first, last] = [-5, 5].map((widths) => Math.round((atS + offsetS + widths * widthS) * RATE_HZ));
    for (let k = Math.max(0, first); k <= Math.min(last, lead.length - 1); k++) {
      lead[k] += heightMv * Math.exp(-0.5 * ((k / RATE_HZ - atS - offsetS) / widthS) ** 2);
    }
  }
}

function noise(random) {
  return Float64Array.from({ length: N_SAMPLES }, () => 0.012 * (random() + random() + random() - 1.5));
}

/** Numbers from 0 to 1, always the same (a linear congruential generator). */
function steadyRandom(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
