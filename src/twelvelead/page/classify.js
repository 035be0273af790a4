/** The one line that the page calls: record -> report, with the fields of the server's JSON and the attention. */

import { DIAGNOSES, LEADS_NEEDED } from "./diagnoses.js";
import { heartOf } from "./heart.js";
import { assessWindows, isLong, seldomAssessed, summed, through } from "./long.js";
import { assessed, inWords } from "./quality.js";
import { bandsByLead, bandsOf, startsOf, windowAt, windowSamples } from "./recipe.js";
import { LEADS, RecordError } from "./record.js";

const PAUSE_MS = 50;
const TURN_MS = 250;
const STAGES = [0, 0.25, 0.35, 0.85, 1]; // when a long one is filtered, through the network, assessed, its beats found

/** Say which of the nine diagnoses a recording shows; run(windows, nWindows) -> {logits, attention} of the network.
 *
 * tell(share) now and then while a long one is read, and the page can do other things meanwhile. */
export async function classify(record, card, run, tell = () => {}) {
  if (record.unit !== "mV") {
    throw new RecordError(
      `signal in ${record.unit}, standardised by its publisher: classify its original in millivolts`,
    );
  }
  const { recipe } = card;
  const long = isLong(record);
  const [filtering, listening, assessing, beating] = long ? pausing(tell) : STAGES.map(() => async () => {});
  const bands = long ? await bandsByLead(recipe, record, filtering) : bandsOf(recipe, record);
  const starts = startsOf(recipe, bands.heart[0].length);
  const startsS = starts.map((start) => start / recipe.rate_hz);
  const { logits, attention } = await inBatches(recipe, bands.heart, starts, run, listening);
  const findings = long ? await assessWindows(recipe, record, bands, starts, assessing) : [assessed(recipe, record, bands)];
  const reasons = starts.map((_, w) => withheldFor(findings[long ? w : 0]));
  const heard = logits.map((row) => DIAGNOSES.map((name, k) => calibrated(card, name, row[k])));
  const { merged, withheld } = mergedOver(heard, reasons);
  const thresholds = Object.fromEntries(DIAGNOSES.map((name) => [name, card.deciding[name]]));
  const byWindow = long ? heard.map((row, w) => unlessWithheld(row, reasons[w])) : [];
  return {
    record: record.name,
    probabilities: unlessWithheld(merged, withheld),
    thresholds,
    positive: DIAGNOSES.filter((name, k) => merged[k] >= thresholds[name] && !(name in withheld)),
    withheld,
    quality: long ? summed(findings) : findings[0],
    warnings: [...record.warnings, ...seldomAssessed(byWindow)],
    ...(long ? through(byWindow, thresholds, startsS, recipe.window_s, record.durationS) : {}),
    ...(await heartOf(record, withheld, beating)),
    attention: { starts_s: startsS, window_s: recipe.window_s, weights: attention },
    all: merged,
  };
}

/** pause(done, all) of each stage: lets the page do other things, where it has not for a while. scheduler.yield() lets no
 * timer in, so that now and then it is a timer itself, but in a hidden page, where one may take a minute. */
function pausing(tell) {
  let [last, lastTurn] = [performance.now(), performance.now()];
  return STAGES.slice(1).map((end, stage) => async (done, all) => {
    if (performance.now() - last < PAUSE_MS) return;
    tell(STAGES[stage] + ((end - STAGES[stage]) * done) / all);
    const isBrief = globalThis.scheduler?.yield && (document.hidden || performance.now() - lastTurn < TURN_MS);
    await (isBrief ? globalThis.scheduler.yield() : new Promise((go) => setTimeout(go)));
    last = performance.now();
    if (!isBrief) lastTurn = last;
  });
}

/** The mean over the windows that can be assessed for a diagnosis; where none can, over all, and it is withheld. */
function mergedOver(heard, reasons) {
  const lacking = DIAGNOSES.filter((name) => reasons.every((reason) => name in reason));
  const merged = DIAGNOSES.map((name, k) => {
    const rows = heard.filter((_, w) => lacking.includes(name) || !(name in reasons[w]));
    return mean(rows.map((row) => row[k]));
  });
  return { merged, withheld: Object.fromEntries(lacking.map((name) => [name, reasons[0][name]])) };
}

function unlessWithheld(chances, withheld) {
  return Object.fromEntries(DIAGNOSES.map((name, k) => [name, name in withheld ? null : chances[k]]));
}

/** Logits (windows, 9) and attention (windows, 9, steps), as arrays, a few windows at a time. */
async function inBatches(recipe, signal, starts, run, pause, atMost = 16) {
  const [logits, attention] = [[], []];
  const size = LEADS.length * Math.min(windowSamples(recipe), signal[0].length);
  for (let from = 0; from < starts.length; from += atMost) {
    await pause(from, starts.length);
    const part = starts.slice(from, from + atMost);
    const windows = new Float32Array(part.length * size);
    part.forEach((start, k) => windows.set(windowAt(recipe, signal, start), k * size));
    const answer = await run(windows, part.length);
    const nSteps = answer.attention.length / part.length / DIAGNOSES.length;
    part.forEach((_, w) => {
      logits.push([...answer.logits.subarray(w * DIAGNOSES.length, (w + 1) * DIAGNOSES.length)]);
      attention.push(
        DIAGNOSES.map((_, k) => {
          const row = w * DIAGNOSES.length + k;
          return answer.attention.slice(row * nSteps, (row + 1) * nSteps);
        }),
      );
    });
  }
  return { logits, attention };
}

function calibrated(card, name, logit) {
  const { slope, offset } = card.calibration[name];
  return 1 / (1 + Math.exp(-(slope * logit + offset)));
}

/** The diagnoses for which no usable lead is left, each with the finding that is to blame. */
function withheldFor(quality) {
  const blame = new Map();
  for (const one of [...quality].reverse()) if (one.unusable) for (const lead of one.leads) blame.set(lead, one);
  const withheld = {};
  for (const name of DIAGNOSES) {
    const lacking = LEADS_NEEDED[name].find((group) => group.every((lead) => blame.has(lead)));
    if (lacking) withheld[name] = inWords(blame.get(lacking[0]));
  }
  return withheld;
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
