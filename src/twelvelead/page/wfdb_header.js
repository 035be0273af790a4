/** The header of a WFDB record, read strictly; format: https://wfdb.io/spec/header-files.html. */

import { RecordError } from "./record.js";

const MAX_LINE_CHARACTERS = 4096;
const MAX_RATE_HZ = 1e6;
const DEFAULT_RATE_HZ = 250;
const DEFAULT_GAIN = 200;
const NUMBER = String.raw`[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?`;
const IS_NUMBER = new RegExp(`^${NUMBER}$`);
const FORMAT = /^(\d+)(?:x(\d+))?(?::(\d+))?(?:\+(\d+))?$/;
const GAIN = new RegExp(String.raw`^(${NUMBER}|[a-z]+)(?:\(([-+]?\d{1,10})\))?(?:/(\S+))?$`, "i");
const SEVERAL = /<([A-Za-z]+)>\s*:\s*([^<]*)/g;
const HEADER_COMMENT = /^#\s*<?([A-Za-z]+)>?\s*:\s*(.*)/;
const NAME_AND_NUMBER = /^[^\s#]+[ \t]+\d/;

/** Whether text begins as a WFDB header does: a record line, then a signal line, among comments. */
export function isWfdbHeader(text) {
  if (text.includes("\0")) return false;
  let nFound = 0;
  for (let at = 0; at < text.length && nFound < 2; ) {
    const end = text.indexOf("\n", at);
    const line = text.slice(at, end < 0 ? text.length : end).trim();
    if (line && !line.startsWith("#")) {
      if (!NAME_AND_NUMBER.test(line)) return false;
      nFound++;
    }
    at += end < 0 ? text.length : end - at + 1;
  }
  return nFound === 2;
}

/** {rateHz, nSamples or null, signals, comments, warnings} of a `.hea` text; a signal's gain is ADC units per `unit`. */
export function readHeader(text) {
  const lines = text.split("\n");
  if (lines.some((line) => line.length > MAX_LINE_CHARACTERS)) {
    throw new RecordError(`header with a line of more than ${MAX_LINE_CHARACTERS} characters: fetch it again`);
  }
  const rows = lines.map((line) => line.trim()).filter((line) => line && !line.startsWith("#")).map((line) => line.split(/\s+/));
  if (!rows.length) {
    throw new RecordError("header without a record line: it must begin with name, signals, rate and samples");
  }
  const header = recordLine(rows[0]);
  if (rows.length - 1 !== header.nSignals) {
    throw new RecordError(
      `header declares ${header.nSignals} signals and describes ${rows.length - 1}: fetch it again`,
    );
  }
  const warnings = new Set(header.warnings);
  const signals = rows.slice(1).map((row, index) => signalLine(row, index, warnings));
  if (header.nSamples === null) {
    for (const signal of signals) { // 0 stands for initial values and checksums that nobody knows
      signal.initial ||= null;
      signal.checksum ||= null;
    }
  }
  return { ...header, signals, comments: commentsOf(lines), warnings: [...warnings] };
}

function commentsOf(lines) {
  const found = new Map();
  for (const line of lines.map((one) => one.trimStart())) {
    const match = HEADER_COMMENT.exec(line);
    if (!match) continue;
    const several = [...line.matchAll(SEVERAL)];
    for (const [, key, value] of several.length > 1 ? several : [match]) {
      if (!found.has(key.toLowerCase())) found.set(key.toLowerCase(), value.trim());
    }
  }
  return found;
}

/** `name n_signals [rate [n_samples ...]]`. */
function recordLine(row) {
  if (row[0].includes("/")) {
    throw new RecordError(`record of several segments (${row[0]}): convert it to one segment`);
  }
  const nSignals = row.length > 1 ? whole(row[1], "number of signals") : 0;
  if (!nSignals) throw new RecordError("record line without a number of signals: it must be at least 1; correct the header");
  const nSamples = (row.length > 3 ? whole(row[3], "number of samples") : 0) || null;
  if (row.length < 3) {
    const warnings = ["header states no rate: 250 Hz, the format's default, was taken"];
    return { nSignals, rateHz: DEFAULT_RATE_HZ, nSamples: null, warnings };
  }
  const stated = row[2].split("/")[0].split("(")[0];
  const rateHz = IS_NUMBER.test(stated) ? Number(stated) : NaN;
  if (!(rateHz > 0 && rateHz <= MAX_RATE_HZ)) {
    throw new RecordError(`sampling rate '${row[2]}': it must be a positive number of Hz, at most ${MAX_RATE_HZ}; correct the header`);
  }
  return { nSignals, rateHz, nSamples, warnings: [] };
}

/** `file format [gain [bits [zero [initial [checksum [block [name]]]]]]]`. */
function signalLine(row, index, warnings) {
  const declared = row.length > 1 ? FORMAT.exec(row[1]) : null;
  if (!declared) {
    throw new RecordError(`signal ${index + 1} has format '${(row[1] ?? "").slice(0, 60)}': it must be one such as 16; correct the header`);
  }
  const [code, perFrame, skew, offsetBytes] = declared.slice(1).map((group) => Number(group ?? 0));
  if (perFrame > 1 || skew) {
    throw new RecordError(`signal ${index + 1} has format ${row[1]}: convert it to one sample a frame without skew`);
  }
  const { gain, baseline, unit } = gainField(row[2] ?? "", warnings);
  const zero = row.length > 4 ? integer(row[4], "ADC zero") : 0;
  return {
    file: plainName(row[0]),
    code,
    offsetBytes,
    gain,
    baseline: baseline ?? zero,
    unit,
    initial: row.length > 5 ? integer(row[5], "initial value") : null,
    checksum: row.length > 6 ? integer(row[6], "checksum") : null,
    lead: row.slice(8).join(" ") || `signal ${index + 1}`,
  };
}

/** `1000`, `1000/mV`, `1000.0(0)/mV` or nothing. */
function gainField(field, warnings) {
  if (!field) {
    warnings.add("header states no gain: 200 per mV, the format's default, was taken");
    return { gain: DEFAULT_GAIN, baseline: null, unit: "mV" };
  }
  const match = GAIN.exec(field);
  const gain = match && IS_NUMBER.test(match[1]) ? Number(match[1]) : NaN;
  if (gain === 0) {
    const unit = match[3] ?? "mV";
    warnings.add(`header states a gain of 0, which is none: 200 per ${unit}, the format's default, was taken`);
    return { gain: DEFAULT_GAIN, baseline: match[2] === undefined ? null : Number(match[2]), unit };
  }
  if (!(gain >= 1e-6 && gain <= 1e15)) {
    throw new RecordError(`gain '${field}': it must be a positive number of ADC units per unit, 1e-06 to 1e+15; correct the header`);
  }
  if (!match[3]) warnings.add("header states no unit: mV, the format's default, was taken");
  return { gain, baseline: match[2] === undefined ? null : Number(match[2]), unit: match[3] ?? "mV" };
}

function plainName(name) {
  if (["", ".", "..", "-", "~"].includes(name) || /[/\\:\0]/.test(name)) {
    throw new RecordError(`signal file '${name}': only a plain name of a file beside the header is opened`);
  }
  return name;
}

function whole(text, what) {
  if (!/^\d{1,12}$/.test(text)) throw new RecordError(`${what} '${text}': it must be a whole number; correct the header`);
  return Number(text);
}

function integer(text, what) {
  return Math.sign(parseInt(text, 10)) * whole(text.replace(/^[-+]/, ""), what) || 0;
}
