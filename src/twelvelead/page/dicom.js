/** DICOM waveform objects with a 12-lead ECG; the rhythm, never the median beat. Explicit and implicit little endian.
 *
 * Format: DICOM PS3.5, section 7 (data elements), and PS3.3, section C.10.9 (Waveform Module). */

import {
  INDEPENDENT_LEADS,
  RecordError,
  millivoltsPer,
  ageBetween,
  plausibleAge,
  recordFromLeads,
  refuseTooMany,
  standardLead,
  withoutEnd,
} from "./record.js";

const MAX_DICOM_BYTES = 1 << 23;
const SHORTEST_ELEMENT = 8;
const MAX_ELEMENTS = 20_000;
const MAX_DEPTH = 16;
const UNDEFINED = 0xffffffff;
const EXPLICIT = "1.2.840.10008.1.2.1";
const IMPLICIT = "1.2.840.10008.1.2";
const LONG_LENGTH = new Set(["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"]);
const ITEM = 0xfffee000;
const ITEM_END = 0xfffee00d;
const SEQUENCE_END = 0xfffee0dd;
const TAGS = {
  transferSyntax: 0x00020010,
  codeValue: 0x00080100,
  codeMeaning: 0x00080104,
  studyDate: 0x00080020,
  acquisitionDate: 0x00080022,
  acquisitionTime: 0x0008002a,
  birthDate: 0x00100030,
  sex: 0x00100040,
  age: 0x00101010,
  originality: 0x003a0004,
  nChannels: 0x003a0005,
  nSamples: 0x003a0010,
  rate: 0x003a001a,
  groupLabel: 0x003a0020,
  channels: 0x003a0200,
  status: 0x003a0205,
  source: 0x003a0208,
  modifiers: 0x003a0209,
  sensitivity: 0x003a0210,
  sensitivityUnit: 0x003a0211,
  correction: 0x003a0212,
  baseline: 0x003a0213,
  timeSkew: 0x003a0214,
  sampleSkew: 0x003a0215,
  offset: 0x003a0218,
  waveforms: 0x54000100,
  coding: 0x54001006,
  padding: 0x5400100a,
  data: 0x54001010,
};
const SKEWS = { ChannelTimeSkew: TAGS.timeSkew, ChannelSampleSkew: TAGS.sampleSkew, ChannelOffset: TAGS.offset };
const FURTHER_LEAD = /\b[VC]\s*(?:\d+\W*R(?:IGHT|ECHTS)?|[7-9])\b/i;
const A_LEAD = "(?:AV[RLF]|[VC]\\d|I{1,3})\\b";
const TURNED_OVER = new RegExp(
  `(?:^-\\s*|[\\s([]-)${A_LEAD}|-\\s*(?:$|[)\\]])|\\b${A_LEAD}\\s*-\\s*${A_LEAD}|` +
    "\\b(?:INV|N[E\u00c9]G|REVERS|MINUS|UMGEPOLT)",
  "i",
);
const RECORDED = [TAGS.acquisitionTime, TAGS.acquisitionDate, TAGS.studyDate];
const SEQUENCES = new Set([TAGS.channels, TAGS.source, TAGS.modifiers, TAGS.sensitivityUnit, TAGS.waveforms]);
const SAMPLES = {
  SB: [1, "getInt8", -128],
  UB: [1, "getUint8", 0],
  SS: [2, "getInt16", -32768],
  US: [2, "getUint16", 0],
  SL: [4, "getInt32", -(2 ** 31)],
  UL: [4, "getUint32", 0],
};
const CODED = new Map(
  [1, 2, 3, 4, 5, 6, 7, 8, 61, 62, 63, 64].map((code, k) => [
    code,
    [...INDEPENDENT_LEADS, "III", "aVR", "aVL", "aVF"][k],
  ]),
);

/** Whether bytes begin with DICOM's preamble. */
export function isDicom(bytes) {
  return latin(bytes.subarray(128, 132)) === "DICM";
}

/** The rhythm of a DICOM ECG. */
export function readDicom(name, bytes) {
  if (bytes.length > MAX_DICOM_BYTES) {
    throw new RecordError(`${bytes.length} bytes: at most ${MAX_DICOM_BYTES} are read; split the recording`);
  }
  const dataset = datasetOf(bytes);
  const groups = itemsOf(dataset, TAGS.waveforms).filter(
    (group) => !textOf(group, TAGS.groupLabel).toUpperCase().includes("MEDIAN"),
  );
  const originals = groups.filter((group) => textOf(group, TAGS.originality) !== "DERIVED"); // as an average beat is
  const rhythms = originals.length ? originals : groups;
  if (!rhythms.length) {
    throw new RecordError("DICOM file without a rhythm: it is no 12-lead waveform, or holds median beats alone");
  }
  const whole = rhythms.filter((group) => whole16(group, TAGS.nChannels) >= 8); // not a strip of one lead
  const longest = (whole.length ? whole : rhythms).reduce((a, b) =>
    durationS(b) > durationS(a) ? b : a,
  );
  return recordFromLeads(name, leadsOf(longest), decimal(longest, TAGS.rate), {
    age: ageOf(dataset),
    sex: textOf(dataset, TAGS.sex),
    warnings: [
      ...(rhythms.length > 1 ? [`${rhythms.length} rhythm groups found; only the longest is read`] : []),
      ...statusNotes(longest),
    ],
  });
}

function durationS(group) {
  return whole32(group, TAGS.nSamples) / (decimal(group, TAGS.rate) || Infinity);
}

/** Map of tag -> bytes, or array of items, each such a map. */
function datasetOf(bytes) {
  const state = { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), at: 132, left: MAX_ELEMENTS };
  try {
    const meta = elementsOf(state, bytes.length, true, 0, (tag) => tag >>> 16 === 2);
    const syntax = textOf(meta, TAGS.transferSyntax) || IMPLICIT;
    if (syntax !== EXPLICIT && syntax !== IMPLICIT) {
      throw new RecordError(`DICOM transfer syntax ${syntax}: convert it to explicit little endian first`);
    }
    return elementsOf(state, bytes.length, syntax === EXPLICIT, 0, (tag) => tag < 0x7fe00000 || tag >= 0x80000000);
  } catch (error) {
    if (error instanceof RangeError) throw new RecordError("DICOM file is damaged or cut short: export it again");
    throw error;
  }
}

function elementsOf(state, end, explicit, depth, belongs = () => true) {
  const found = new Map();
  while (end - state.at >= SHORTEST_ELEMENT) {
    const tag = ((state.view.getUint16(state.at, true) << 16) | state.view.getUint16(state.at + 2, true)) >>> 0;
    if (tag === ITEM_END) {
      state.at += 8;
      break;
    }
    if (!belongs(tag) || tag === 0) break; // zeros after the last element are no element
    if (!state.left--) {
      throw new RecordError(`DICOM file of more than ${MAX_ELEMENTS} elements: no ECG has so many; export it again`);
    }
    found.set(tag, elementValue(state, tag, explicit, depth));
  }
  return found;
}

function elementValue(state, tag, explicit, depth) {
  const { view } = state;
  const kind = explicit ? latin(state.bytes.subarray(state.at + 4, state.at + 6)) : SEQUENCES.has(tag) ? "SQ" : "";
  const isLong = !explicit || LONG_LENGTH.has(kind);
  const lengthAt = state.at + (explicit ? (isLong ? 8 : 6) : 4);
  const length = isLong ? view.getUint32(lengthAt, true) : view.getUint16(lengthAt, true);
  state.at = lengthAt + (isLong ? 4 : 2);
  if (kind === "SQ" || length === UNDEFINED) {
    return sequence(state, length, explicit && kind !== "UN", depth);
  }
  const start = state.at;
  if (start + length > state.bytes.length) throw new RangeError();
  state.at += length;
  return state.bytes.subarray(start, start + length);
}

function sequence(state, length, explicit, depth) {
  if (depth > MAX_DEPTH) throw new RecordError("DICOM sequences within sequences without end: export the file again");
  const end = length === UNDEFINED ? state.bytes.length : state.at + length;
  if (end > state.bytes.length) throw new RangeError();
  const found = [];
  while (state.at < end) {
    const tag = ((state.view.getUint16(state.at, true) << 16) | state.view.getUint16(state.at + 2, true)) >>> 0;
    const size = state.view.getUint32(state.at + 4, true);
    state.at += 8;
    if (tag === SEQUENCE_END) break;
    if (tag !== ITEM) throw new RangeError();
    found.push(elementsOf(state, size === UNDEFINED ? end : state.at + size, explicit, depth + 1));
  }
  return found;
}

/** Lead name -> Float32Array of millivolts: (sample x sensitivity x correction + baseline) in the sensitivity's unit. */
function leadsOf(group) {
  const coding = SAMPLES[textOf(group, TAGS.coding)];
  if (!coding) {
    throw new RecordError(
      `samples coded '${textOf(group, TAGS.coding)}': allowed are ${Object.keys(SAMPLES).join(", ")}`,
    );
  }
  const [nChannels, nSamples] = [whole16(group, TAGS.nChannels), whole32(group, TAGS.nSamples)];
  refuseTooMany(nChannels * nSamples);
  const data = group.get(TAGS.data) ?? new Uint8Array();
  const channels = itemsOf(group, TAGS.channels);
  const expected = nChannels * nSamples * coding[0];
  if ((data.length !== expected && data.length !== expected + 1) || channels.length !== nChannels) {
    throw new RecordError(
      `${data.length} bytes of samples for ${nChannels} channels x ${nSamples} samples (${expected} bytes): ` +
        "the file contradicts itself; export it again",
    );
  }
  refuseSkew(channels);
  const leads = new Map();
  channels.forEach((channel, row) => {
    const name = leadName(itemsOf(channel, TAGS.source)[0] ?? new Map());
    if (leads.has(name)) throw new RecordError(`lead '${name}' is there twice: each must be there once`);
    if (standardLead(name)) refuseInverted(channel, name);
    leads.set(name, standardLead(name) ? millivolts(group, channel, name, data, coding, row) : new Float32Array(nSamples));
  });
  return leads;
}

/** A warning where the recorder calls leads disconnected, uncalibrated, invalid or test data. */
function statusNotes(group) {
  const said = itemsOf(group, TAGS.channels)
    .map((channel) => [leadName(itemsOf(channel, TAGS.source)[0] ?? new Map()), textOf(channel, TAGS.status) || "OK"])
    .filter(([name, status]) => status !== "OK" && standardLead(name))
    .map(([name, status]) => `${name} ${status.split("\\").join(", ")}`);
  return said.length ? [`the recorder calls ${said.join(", ")}`] : [];
}

/** Refuse a lead that a modifier of its channel's source turns over. */
function refuseInverted(channel, name) {
  const meanings = itemsOf(channel, TAGS.modifiers).map((modifier) => textOf(modifier, TAGS.codeMeaning));
  const turned = meanings.find((meaning) => TURNED_OVER.test(meaning));
  if (turned !== undefined) {
    throw new RecordError(`lead ${name} is modified as '${turned.slice(0, 40)}': export the recording with it upright`);
  }
}

function millivolts(group, channel, name, data, [size, getter, lowest], row) {
  if (!channel.has(TAGS.sensitivity) || !itemsOf(channel, TAGS.sensitivityUnit).length) {
    throw new RecordError(`lead ${name} states no sensitivity: without it its samples have no unit; export it again`);
  }
  const sensitivity = decimal(channel, TAGS.sensitivity) * decimal(channel, TAGS.correction, 1);
  if (!(sensitivity > 0 && sensitivity < Infinity)) {
    throw new RecordError(`lead ${name} has a sensitivity of ${sensitivity}: it must be positive; export it again`);
  }
  const baseline = decimal(channel, TAGS.baseline, 0);
  const perUnit = millivoltsPer(textOf(itemsOf(channel, TAGS.sensitivityUnit)[0], TAGS.codeValue));
  const [nChannels, nSamples] = [whole16(group, TAGS.nChannels), whole32(group, TAGS.nSamples)];
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const padding = paddingOf(group, size, getter);
  const mark = padding !== 0 || lowest === 0 ? padding : undefined;
  return Float32Array.from({ length: nSamples }, (_, k) => {
    const sample = view[getter]((k * nChannels + row) * size, true);
    return sample === mark ? NaN : (sample * sensitivity + baseline) * perUnit;
  });
}

/** The mark of a missing sample; 0, which some write beside signed samples, marks nothing. */
function paddingOf(group, size, getter) {
  const bytes = group.get(TAGS.padding);
  if (!bytes || bytes.length < size) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)[getter](0, true);
}

/** The meaning of a channel's code; where that is in another language or missing, the lead of its number. */
function leadName(source) {
  const meaning = textOf(source, TAGS.codeMeaning);
  const code = /^(?:2:|5\.6\.3-9-)(\d{1,3})$/.exec(textOf(source, TAGS.codeValue));
  if (!Number(code?.[1]) || FURTHER_LEAD.test(meaning) || TURNED_OVER.test(meaning)) return meaning;
  const [coded, lead] = [CODED.get(Number(code[1])), standardLead(meaning)];
  if (lead && lead !== coded) {
    throw new RecordError(
      `a lead is ${lead} by its name and ${coded ?? `none of the twelve, ${code[0]},`} by its code: ` +
        "export the recording again",
    );
  }
  return coded && !lead ? coded : meaning;
}

/** Refuse channels that were not sampled at one time. */
function refuseSkew(channels) {
  for (const [name, tag] of Object.entries(SKEWS)) {
    const skews = channels.map((channel) => decimal(channel, tag, 0));
    const [least, most] = [Math.min(...skews), Math.max(...skews)];
    if (least !== most) {
      throw new RecordError(
        `${name} from ${least} to ${most}: leads sampled at different times are not read; ` +
          "export the recording with all at one time",
      );
    }
  }
}

function itemsOf(dataset, tag) {
  const found = dataset.get(tag);
  return Array.isArray(found) ? found : [];
}

function textOf(dataset, tag) {
  const bytes = dataset.get(tag);
  return bytes instanceof Uint8Array ? withoutEnd(latin(bytes), "\0 ").trim() : "";
}

function decimal(dataset, tag, otherwise) {
  const written = textOf(dataset, tag);
  if (!written && otherwise !== undefined) return otherwise;
  const number = written ? Number(written) : NaN;
  if (!Number.isFinite(number)) throw new RecordError(`'${written}' where a number must be: export the file again`);
  return number;
}

function whole16(dataset, tag) {
  return wholeNumber(dataset.get(tag), 2);
}

function whole32(dataset, tag) {
  return wholeNumber(dataset.get(tag), 4);
}

function wholeNumber(bytes, size) {
  if (!(bytes instanceof Uint8Array) || bytes.length < size) {
    throw new RecordError("DICOM file without what an ECG needs: it is no 12-lead waveform");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return size === 2 ? view.getUint16(0, true) : view.getUint32(0, true);
}

function latin(bytes) {
  return new TextDecoder("latin1").decode(bytes);
}

/** Years from DICOM's age string, such as `074Y` or `006M`; else from the dates of birth and recording. */
function ageOf(dataset) {
  const age = plausibleAge(textOf(dataset, TAGS.age));
  if (age !== null) return age;
  const recorded = RECORDED.map((tag) => textOf(dataset, tag)).find(Boolean) ?? "";
  return ageBetween(textOf(dataset, TAGS.birthDate), recorded);
}
