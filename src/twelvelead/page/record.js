/** What was measured: a 12-lead ECG in millivolts, its leads in standard order. */

export const LEADS = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"];
export const INDEPENDENT_LEADS = ["I", "II", "V1", "V2", "V3", "V4", "V5", "V6"];
const MILLIVOLTS_PER = { mv: 1, uv: 1e-3, "\u00b5v": 1e-3, "\u03bcv": 1e-3, nv: 1e-6, v: 1e3 };
const MAX_MV = 100;
const MAX_LEAD_NAME = 64;
const YEARS_FROM = 2;
const AGE_ROUNDING = 1e-2;
const MS_PER_DAY = 86_400_000;
const MAX_VALUES = 27_000_000;
const STANDARD = new Map([
  ...LEADS.map((lead) => [lead.toUpperCase(), lead]),
  ...[1, 2, 3, 4, 5, 6].map((n) => [`C${n}`, `V${n}`]),
]);
const BEFORE_A_LEAD = /^(?:MDC_ECG_LEAD_|(?:(?:ECG|EKG|LEAD)[\s_:]+)+)/;
const AROUND_A_LEAD = /[\s_][MUN\u039c]V$|[\s_-]/g; // a unit, µ being a capital mu
const IN_BRACKETS = /\s*[([]([^()[\]]*)[)\]]\s*/g;
const SAYS_NO_OTHER = new RegExp(
  "^(?:[MUN\u039c]?V|EINTHOVEN|GOLDBERGER|WILSON|BIPOLAR|UNIPOLAR|AUGMENTED|LIMB|CHEST|PRECORDIAL|" +
    "DERIVED|CALCULATED|MEASURED|RAW|FILTERED|MONITOR|LEAD|ECG|EKG)$",
);
const AGE = /^(\d{1,5}(?:\.\d{1,5})?)\s*([ymwd])(?:ears?|rs?|onths?|os?|eeks?|ays?)?$/i;
const PER_YEAR = { y: 1, m: 12, w: 52, d: 365 };
const ANOTHER_LEAD = /^(?:-.*|.*-|.*\bI{1,3}[\s_-]+I{1,3})$/;
const STEERING = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;

/** What was given cannot be taken as a 12-lead ECG; the message says why, and the way out. */
export class RecordError extends Error {}

/** A sound record from named leads: name -> Float32Array in `unit`; matched by name, derived where eight imply twelve. */
export function recordFromLeads(name, leads, rateHz, { unit = "mV", age = null, sex = null, warnings = [] } = {}) {
  if (!(Number.isFinite(rateHz) && rateHz > 0)) {
    throw new RecordError(`sampling rate of ${rateHz} Hz: it must be a positive number; correct the file's header`);
  }
  const { found, dropped } = byStandardName(leads);
  const missing = INDEPENDENT_LEADS.filter((lead) => !found.has(lead));
  if (missing.length) {
    throw new RecordError(
      `${leads.size} leads (${listed([...leads.keys()])}), of which ${missing.join(", ")} ` +
        `${missing.length === 1 ? "is" : "are"} missing: a 12-lead ECG needs at least ${INDEPENDENT_LEADS.join(", ")}`,
    );
  }
  const lengths = new Set([...found.values()].map((lead) => lead.length));
  if (lengths.size > 1 || lengths.has(0)) {
    throw new RecordError(`leads of ${[...lengths].join(", ")} samples: all must have the same number, at least one`);
  }
  const notes = [...warnings];
  const derived = LEADS.filter((lead) => !found.has(lead));
  if (derived.length && unit !== "mV") {
    throw new RecordError(`leads ${derived.join(", ")} are missing and cannot be derived from unit ${unit}`);
  }
  for (const lead of derived) found.set(lead, derivedLimbLead(lead, found.get("I"), found.get("II")));
  if (derived.length) notes.push(`leads ${derived.join(", ")} were derived from I and II`);
  if (dropped.length) notes.push(`leads ${listed(dropped)} are not among the twelve and were left out`);
  const signal = LEADS.map((lead) => found.get(lead));
  refuseImpossibleSamples(signal, rateHz, unit);
  return {
    name: printable(name),
    signal,
    rateHz,
    unit,
    age: plausibleAge(age),
    sex: sexLetter(sex),
    warnings: notes.map(printable),
    durationS: signal[0].length / rateHz,
    flatLeads: LEADS.filter((_, row) => signal[row].every((sample) => sample === signal[row][0])),
  };
}

/** The standard name of a lead that a file may write as `avr`, `Lead I`, `MDC_ECG_LEAD_V1`, `C1`; else undefined. */
export function standardLead(name) {
  const plain = name.trim().toUpperCase();
  if (plain.length > MAX_LEAD_NAME) return undefined;
  const bare = plain.replace(BEFORE_A_LEAD, "").replace(IN_BRACKETS, "");
  const lead = ANOTHER_LEAD.test(bare) ? undefined : STANDARD.get(bare.replace(AROUND_A_LEAD, ""));
  const words = [...plain.matchAll(IN_BRACKETS)].map((match) => match[1].trim());
  return words.every((word) => SAYS_NO_OTHER.test(word) || standardLead(word) === lead) ? lead : undefined;
}

/** Text from a file with whatever could steer a document replaced; it still goes into the page as text only. */
export function printable(text) {
  return text.replace(STEERING, "\ufffd");
}

/** How many millivolts one of `unit` is. */
export function millivoltsPer(unit) {
  const plain = unit.trim().toLowerCase();
  if (!Object.hasOwn(MILLIVOLTS_PER, plain)) {
    throw new RecordError(`unit '${unit}': allowed are V, mV, uV and nV; correct the unit in the file`);
  }
  return MILLIVOLTS_PER[plain];
}

/** Refuse more samples in all leads than can be read within bounded memory. */
export function refuseTooMany(nValues) {
  if (nValues > MAX_VALUES) {
    throw new RecordError(`${nValues} samples in all leads: at most ${MAX_VALUES} are read; split the recording`);
  }
}

function byStandardName(leads) {
  const found = new Map();
  const dropped = [];
  for (const [given, samples] of leads) {
    const standard = standardLead(given);
    if (standard === undefined) dropped.push(given);
    else if (found.has(standard)) {
      throw new RecordError(`lead ${standard} is there twice (again as '${given}'): each must be there once`);
    } else found.set(standard, samples);
  }
  return { found, dropped };
}

/** Einthoven's law (III = II - I) and Goldberger's augmented leads. */
function derivedLimbLead(lead, i, ii) {
  const f = Math.fround;
  const rule = {
    III: (a, b) => b - a,
    aVR: (a, b) => -f(a + b) / 2,
    aVL: (a, b) => a - f(b / 2),
    aVF: (a, b) => b - f(a / 2),
  }[lead];
  return i.map((sample, k) => rule(sample, ii[k]));
}

function refuseImpossibleSamples(signal, rateHz, unit) {
  let [nBroken, first, widest, furthest] = [0, "", 0, 0];
  signal.forEach((lead, row) => {
    let [low, high] = [Infinity, -Infinity];
    for (let k = 0; k < lead.length; k++) {
      const sample = lead[k];
      if (!Number.isFinite(sample) && !nBroken++) first = `${LEADS[row]} at ${(k / rateHz).toFixed(3)} s`;
      if (sample < low) low = sample;
      if (sample > high) high = sample;
    }
    widest = Math.max(widest, high - low);
    furthest = Math.max(furthest, Math.abs(low), Math.abs(high));
  });
  if (nBroken) {
    throw new RecordError(
      `${nBroken} samples are not numbers, the first in lead ${first}: all must be finite; ` +
        "cut the damaged part off before reading",
    );
  }
  if (unit === "mV" && Math.max(widest, furthest) > MAX_MV) {
    throw new RecordError(
      `a lead spans ${Number(widest.toPrecision(6))} mV and reaches ${Number(furthest.toPrecision(6))} mV: ` +
        `an ECG stays within ${MAX_MV} mV; check the unit and the gain that the file states`,
    );
  }
}

function listed(names, atMost = 20) {
  const short = names.slice(0, atMost).map((name) => name.slice(0, MAX_LEAD_NAME));
  return (names.length > atMost ? [...short, "..."] : short).join(", ") || "none";
}

/** Text without those of `marks` at its end; a regular expression would look at each of many within it again and again. */
export function withoutEnd(text, marks) {
  let end = text.length;
  while (end && marks.includes(text[end - 1])) end--;
  return text.slice(0, end);
}

/** "71 years"; an age below two years in months, below one month in days. */
export function ageInWords(years) {
  const months = Math.trunc(years * 12 + AGE_ROUNDING);
  const [number, unit] =
    years >= YEARS_FROM
      ? [Math.trunc(years), "year"]
      : months
        ? [months, "month"]
        : [Math.trunc(years * 365.25 + AGE_ROUNDING), "day"];
  return counted(number, unit);
}

/** "1 recording", "2,000 recordings". */
export function counted(n, noun) {
  return `${n.toLocaleString("en-US")} ${noun}${n === 1 ? "" : "s"}`;
}

/** Age in years of `74`, `045Y`, `45 years` or `7 months`; null where a file says nothing usable. */
export function plausibleAge(age) {
  const text = String(age ?? "").trim();
  const said = AGE.exec(text);
  const years = said ? Number(said[1]) / PER_YEAR[said[2].toLowerCase()] : text ? Number(text) : NaN;
  return years >= 0 && years <= 120 ? years : null;
}

/** Age in years between two dates such as `20261129`; null where one is none. As in Python's `age_between`. */
export function ageBetween(born, at) {
  const [birth, day] = [born, at].map((text) => /^(\d{4})(\d\d)(\d\d)/.exec(text)?.slice(1));
  if (!birth || !day) return null;
  const days = (Date.parse(day.join("-")) - Date.parse(birth.join("-"))) / MS_PER_DAY;
  if (!(days >= 0)) return null;
  const months = 12 * (day[0] - birth[0]) + (day[1] - birth[1]) - (day[2] < birth[2]);
  return plausibleAge(
    months >= 12 * YEARS_FROM ? Math.floor(months / 12) : months > 0 ? months / 12 : days / 365.25,
  );
}

const FEMALE = /^(?:F|(?:FEM|FRAU|WEIB|WOM|MUJ|MUL)[\p{L}\p{N}_]*)$/u;
const MALE = /^(?:M|(?:MALE|MAN|MASC|MASK|MÄNN|MUŽ)[\p{L}\p{N}_]*)$/u;

function sexLetter(sex) {
  const word = String(sex ?? "").trim().toUpperCase();
  return FEMALE.test(word) ? "F" : MALE.test(word) ? "M" : null;
}
