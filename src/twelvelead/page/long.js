/** A recording of 5 minutes or more: its quality window by window, burdens and episodes; as signals/pieces.py, signals/prepared.py
 * and classifier/long.py have them. */

import { clock, LONG_S } from "./clock.js";
import { DIAGNOSES } from "./diagnoses.js";
import { assessed } from "./quality.js";
import { windowSamples } from "./recipe.js";
import { LEADS, counted } from "./record.js";

const BURDENS = ["AF", "PAC", "PVC"];
const EPISODES = ["AF"];
const BRIDGED_S = 30;
const MOST_EPISODES = 20;

/** Whether each window of a recording is assessed by itself. */
export function isLong(record) {
  return record.durationS >= LONG_S;
}

/** The findings in each window, which is assessed as a recording of its own; pause(done, all) between them. */
export async function assessWindows(recipe, record, bands, starts, pause) {
  const atRecipe = windowSamples(recipe);
  const asRecorded = Math.ceil(recipe.window_s * record.rateHz);
  const findings = [];
  for (const [w, start] of starts.entries()) {
    await pause(w, starts.length);
    const wanted = Math.floor((start * record.rateHz) / recipe.rate_hz);
    const from = Math.max(0, Math.min(wanted, record.signal[0].length - asRecorded));
    const signal = record.signal.map((lead) => lead.subarray(from, from + asRecorded));
    const cut = { signal, rateHz: record.rateHz, durationS: signal[0].length / record.rateHz };
    const within = (leads) => leads.map((lead) => lead.subarray(start, start + atRecipe));
    const shared = { heart: within(bands.heart), baseline: within(bands.baseline) };
    findings.push(assessed(recipe, cut, shared));
  }
  return findings;
}

/** Each kind of finding once, usable and unusable apart: every lead that had it, its worst value, and how often. */
export function summed(byWindow) {
  const alike = new Map();
  for (const one of byWindow.flat()) {
    const key = JSON.stringify([one.kind, one.unusable, one.unit]);
    alike.set(key, [...(alike.get(key) ?? []), one]);
  }
  const beyond = ({ value, limit }) => Math.abs(value - limit);
  const total = [...alike.values()].map((findings) => ({
    ...findings.reduce((worst, one) => (beyond(one) > beyond(worst) ? one : worst)),
    leads: LEADS.filter((lead) => findings.some((one) => one.leads.includes(lead))),
    windows: findings.length,
  }));
  return total.sort((a, b) => b.unusable - a.unusable || b.windows - a.windows);
}

/** A warning for the diagnoses of which some windows, but not half of all, could be assessed. */
export function seldomAssessed(byWindow) {
  const n = (name) => byWindow.filter((row) => row[name] !== null).length;
  const few = DIAGNOSES.filter((name) => n(name) && 2 * n(name) < byWindow.length);
  return [...new Set(few.map(n))].map((count) => {
    const names = few.filter((name) => n(name) === count).join(", ");
    return `only ${grouped(count)} of ${grouped(byWindow.length)} windows could be assessed for ${names}`;
  });
}

/** {burden, episodes} from the probabilities of each window by diagnosis, null where it could not be assessed. */
export function through(byWindow, thresholds, startsS, windowS, durationS) {
  const reaches = (name, w) => byWindow[w][name] !== null && byWindow[w][name] >= thresholds[name];
  const windows = byWindow.map((_, w) => w);
  const burden = Object.fromEntries(
    BURDENS.map((name) => {
      const assessed = windows.filter((w) => byWindow[w][name] !== null).length;
      const positive = windows.filter((w) => reaches(name, w)).length;
      const share = assessed ? positive / assessed : null;
      return [name, { windows: byWindow.length, assessed_windows: assessed, positive_windows: positive, share }];
    }),
  );
  const episodes = EPISODES.flatMap((name) => {
    const found = [];
    for (const w of windows.filter((w) => reaches(name, w))) {
      const last = found.at(-1);
      if (last && startsS[w] - last.end_s <= BRIDGED_S) {
        last.end_s = Math.min(startsS[w] + windowS, durationS);
        last.peak = Math.max(last.peak, byWindow[w][name]);
        last.positive_windows += 1;
      } else {
        const [start, end] = [startsS[w], Math.min(startsS[w] + windowS, durationS)];
        found.push({ diagnosis: name, start_s: start, end_s: end, peak: byWindow[w][name], positive_windows: 1 });
      }
    }
    return found.map((one) => ({ ...one, duration_s: one.end_s - one.start_s }));
  });
  return { burden, episodes: episodes.sort((a, b) => a.start_s - b.start_s) };
}

/** {said, startS where it is an episode}: the burdens, the longest episodes in order of time, and how many there are
 * besides; nothing of a short one. */
export function throughInWords({ burden = {}, episodes = [] }) {
  const longest = [...episodes].sort((a, b) => b.duration_s - a.duration_s).slice(0, MOST_EPISODES);
  const further = episodes.length - longest.length;
  return [
    ...DIAGNOSES.filter((name) => name in burden).map((name) => ({
      said: `burden of ${name}: ${burdenInWords(burden[name])}`,
    })),
    ...longest.sort((a, b) => a.start_s - b.start_s).map((one) => ({
      said: `episode: ${one.diagnosis} ${clock(one.start_s)}-${clock(one.end_s)}, peak ${one.peak.toFixed(2)}`,
      startS: one.start_s,
    })),
    ...(further ? [{ said: `${counted(further, "further episode")}, none longer` }] : []),
  ];
}

function burdenInWords({ windows, assessed_windows: assessed, share }) {
  if (share === null) return "no window could be assessed";
  const ofAll = assessed === windows ? "" : `${grouped(assessed)} assessed of `;
  return `${(100 * share).toFixed(1)}% of ${ofAll}${grouped(windows)} windows`;
}

function grouped(count) {
  return count.toLocaleString("en-US");
}
