/** WFDB records: a `.hea` header and its signal files, `.dat` or the Challenge's `.mat`; every sample is held against
 * the header's checksum. How samples are packed: https://wfdb.io/spec/signal-files.html. */

import { RecordError, millivoltsPer, recordFromLeads, refuseTooMany, standardLead } from "./record.js";
import { readHeader } from "./wfdb_header.js";

const BITS = { 16: 16, 24: 24, 32: 32, 61: 16, 80: 8, 212: 12 };
const STANDARDISED_UNIT = "NU";
const GEORGIAS_GAIN = 4880;
const GEORGIAS_STEP_UV = 4.88;
const COMPUTED_LEADS = new Set(["III", "AVR", "AVL", "AVF"]);

/** The record of a header; fileBeside(name) -> its bytes as Uint8Array, or undefined where there is no such file. */
export function readWfdb(name, text, fileBeside) {
  const header = readHeader(text);
  const isLead = (signal) => standardLead(signal.lead) !== undefined; // what is none, such as respiration, is left out
  const units = new Set(header.signals.filter(isLead).map((signal) => signal.unit));
  const isStandardised = units.size === 1 && units.has(STANDARDISED_UNIT);
  const leads = new Map();
  const warnings = [...header.warnings];
  for (const group of groupsByFile(header.signals)) {
    const { file } = group[0];
    const bytes = fileBeside(file);
    if (!bytes) throw new RecordError(`signal file ${file} is missing: choose it together with its header`);
    const { digital, note } = digitalOf(file, bytes, group, header.nSamples);
    warnings.push(...note);
    const areMicrovolts = areGeorgiasMicrovolts(group, digital);
    if (areMicrovolts) warnings.push("gain 4880/mV: the samples are microvolts in steps of 4.88, so 1000/mV was taken");
    group.forEach((signal, row) => {
      if (leads.has(signal.lead)) throw new RecordError(`lead '${signal.lead}' is there twice: each must be there once`);
      const perUnit = isStandardised || !isLead(signal) ? 1 : millivoltsPer(signal.unit);
      leads.set(signal.lead, physical(digital[row], signal, perUnit / (areMicrovolts ? 1000 : signal.gain)));
    });
  }
  return recordFromLeads(name, leads, header.rateHz, {
    unit: isStandardised ? "NU" : "mV",
    age: header.comments.get("age"),
    sex: header.comments.get("sex") || header.comments.get("gender"),
    warnings,
  });
}

function groupsByFile(signals) {
  const groups = [];
  for (const signal of signals) {
    if (groups.at(-1)?.[0].file === signal.file) groups.at(-1).push(signal);
    else groups.push([signal]);
  }
  return groups;
}

/** Whether a header says 4880/mV of samples that 1000/mV is right for, as Georgia's older headers do: its recorder
 * counts steps of 4.88 uV, and the samples are these in microvolts, cut to whole numbers, but for computed leads. */
function areGeorgiasMicrovolts(signals, digital) {
  if (signals.some((signal) => signal.gain !== GEORGIAS_GAIN)) return false;
  const samples = digital.filter((_, row) => !COMPUTED_LEADS.has(signals[row].lead.toUpperCase()));
  const isCut = (sample) => Math.trunc(Math.round(sample / GEORGIAS_STEP_UV) * GEORGIAS_STEP_UV) === sample;
  return samples.some((lead) => lead.some((sample) => sample !== 0)) && samples.every((lead) => lead.every(isCut));
}

/** Float32Array of millivolts; NaN where the format's mark says that none was taken. */
function physical(samples, signal, scale) {
  const invalid = -(2 ** (BITS[signal.code] - 1));
  const physical = new Float32Array(samples.length); // by a loop: from() takes ten times as long, seconds of an hour
  for (let k = 0; k < samples.length; k++) physical[k] = samples[k] === invalid ? NaN : (samples[k] - signal.baseline) * scale;
  return physical;
}

/** ADC values of one signal file, one Int32Array a signal, verified against its header. */
function digitalOf(file, bytes, signals, declared) {
  const { code, offsetBytes } = signals[0];
  if (signals.some((signal) => signal.code !== code || signal.offsetBytes !== offsetBytes)) {
    throw new RecordError(`signals of ${file} differ in format or offset: a file has one of each`);
  }
  if (!(code in BITS)) {
    throw new RecordError(`signal format ${code}: formats ${Object.keys(BITS).join(", ")} are read; convert the record`);
  }
  const held = Math.floor((Math.max(0, bytes.length - offsetBytes) * 8) / BITS[code]);
  const nSamples = declared ?? Math.floor(held / signals.length);
  const expected = offsetBytes + Math.ceil((nSamples * signals.length * BITS[code]) / 8);
  if (bytes.length < expected || !nSamples) {
    throw new RecordError(
      `${file} has ${bytes.length} bytes, its header declares ${expected}: the file is cut short; fetch it again`,
    );
  }
  refuseTooMany(nSamples * signals.length);
  const flat = unpack(code, bytes.subarray(offsetBytes, expected), nSamples * signals.length);
  const digital = signals.map(() => new Int32Array(nSamples));
  digital.forEach((samples, row) => {
    for (let k = 0, at = row; k < nSamples; k++, at += signals.length) samples[k] = flat[at];
  });
  const verified = verify(file, signals, digital);
  const extra = bytes.length - expected;
  if (extra && !verified) {
    throw new RecordError(
      `${file} has ${bytes.length} bytes, its header declares ${expected} and no checksum says which samples are ` +
        "meant; fetch the record again",
    );
  }
  return { digital, note: extra ? [`a signal file is ${extra.toLocaleString("en-US")} bytes longer than declared; they were left out`] : [] };
}

/** Int32Array of so many samples from the beginning of packed bytes. */
function unpack(code, bytes, nValues) {
  const samples = new Int32Array(nValues);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = {
    16: (k) => view.getInt16(2 * k, true),
    24: (k) => view.getUint16(3 * k, true) | (view.getInt8(3 * k + 2) << 16),
    32: (k) => view.getInt32(4 * k, true),
    61: (k) => view.getInt16(2 * k, false),
    80: (k) => bytes[k] - 128,
    212: (k) => twelveBits(bytes, k),
  }[code];
  for (let k = 0; k < nValues; k++) samples[k] = at(k);
  return samples;
}

/** Pairs of twelve bits in three bytes; the middle byte holds the upper four bits of both. */
function twelveBits(bytes, k) {
  const triple = 3 * (k >> 1);
  const middle = bytes[triple + 1];
  const value = k & 1 ? ((middle & 0xf0) << 4) | bytes[triple + 2] : ((middle & 0x0f) << 8) | bytes[triple];
  return (value << 20) >> 20;
}

/** Hold each signal against its initial value and 16-bit checksum; whether all had a checksum. */
function verify(file, signals, digital) {
  signals.forEach((signal, row) => {
    const samples = digital[row];
    const sum = samples.reduce((total, sample) => total + sample, 0);
    const isWhole = signal.checksum !== null && !((sum - signal.checksum) % 65536);
    const known = signal.initial !== null && !(isWhole && signal.initial === 0); // 0 may stand for none
    if (known && signal.checksum !== null && signal.initial !== samples[0]) {
      throw new RecordError(
        `lead ${signal.lead} of ${file} begins with ${samples[0]}, its header says ${signal.initial}: ` +
          "the header belongs to another file, or one of them is damaged",
      );
    }
    if (signal.checksum !== null && !isWhole) {
      throw new RecordError(
        `lead ${signal.lead} of ${file} has checksum ${modulo(sum)}, its header says ${modulo(signal.checksum)}: ` +
          "the file is damaged; fetch it again",
      );
    }
  });
  return signals.every((signal) => signal.checksum !== null);
}

function modulo(sum) {
  return ((sum % 65536) + 65536) % 65536;
}
