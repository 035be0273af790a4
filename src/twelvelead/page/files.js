/** Files as they were chosen -> recordings: which files belong together, and which reader reads them. */

import { isCsv, readCsv } from "./csv.js";
import { isDicom, readDicom } from "./dicom.js";
import { isMatlab5, readCpsc2018 } from "./matlab5.js";
import { RecordError } from "./record.js";
import { readWfdb } from "./wfdb.js";
import { isWfdbHeader } from "./wfdb_header.js";

const MAX_FILE_BYTES = 1 << 26;
const MAX_HEADER_BYTES = 1 << 20;
const HEADER = /\.hea$/i;
const SIGNAL_FILE = /\.(?:dat|mat)$/i;
const CLAIMING = /\.(?:dcm|mat|scp|edf|bdf|mwf|mfer|xml|ecg)$/i; // xml, ecg: formats that only the server reads
export const READABLE = "WFDB (.hea with its .dat or .mat), DICOM waveform, CPSC2018's .mat, CSV";
const READ_ELSEWHERE = "SCP-ECG, HL7 aECG, GE MUSE, CardioSoft, Philips and Mortara XML, EDF and BDF, ISHNE, MFER, NPY";

/**
 * Recordings among files {path, size, bytes(), beginning()}: a header with all that lies beside it, or a file alone. Of a
 * folder's files only those that are recordings or claim to be; hidden ones left out.
 */
export async function recordingsAmong(files) {
  const plain = files.filter((file) => !nameOf(file).startsWith("."));
  const headers = plain.filter((file) => HEADER.test(file.path));
  const stems = new Set(headers.map((file) => file.path.replace(HEADER, "")));
  const ofStem = (file) => SIGNAL_FILE.test(file.path) && stems.has(file.path.replace(SIGNAL_FILE, ""));
  const named = new Set((await Promise.all(headers.map(pathsIn))).flat());
  const others = plain.filter((file) => !HEADER.test(file.path) && !ofStem(file) && !named.has(file.path));
  const wanted = await Promise.all(others.map(isWanted));
  const alone = others.filter((_, k) => wanted[k]);
  return [
    ...headers.map((file) => ({ main: file, beside: plain.filter((other) => folderOf(other) === folderOf(file)) })),
    ...alone.map((file) => ({ main: file, beside: [] })),
  ].sort((a, b) => (a.main.path < b.main.path ? -1 : 1));
}

/** Whether a file was chosen by itself, claims by its suffix to be a recording, or begins as one that this page reads. */
async function isWanted(file) {
  if (!file.path.includes("/") || CLAIMING.test(file.path)) return true;
  const start = await file.beginning().catch(() => null);
  if (start === null) return true; // reading it says why
  return isDicom(start) || isMatlab5(start) || isCsv(new TextDecoder().decode(start));
}

/** The files of one recording: a header with those that it names and those of its own name, or a file alone. */
export async function filesOf({ main, beside }) {
  if (!HEADER.test(main.path)) return [main];
  const stem = main.path.replace(HEADER, "");
  const named = signalFilesIn(new TextDecoder().decode(await bytesOf(main)));
  const isOfIt = (file) => file !== main && (named.has(nameOf(file)) || file.path.replace(SIGNAL_FILE, "") === stem);
  return [main, ...beside.filter(isOfIt)];
}

/** Read one of them; throws RecordError with the way out. */
export async function readRecording({ main, beside }) {
  const bytes = await bytesOf(main);
  const name = nameOf(main).replace(/\.[^.]+$/, "");
  if (isDicom(bytes)) return readDicom(name, bytes);
  if (isMatlab5(bytes)) return readCpsc2018(name, bytes);
  const text = new TextDecoder().decode(bytes);
  if (isWfdbHeader(text)) return readWfdbFiles(name, text, beside);
  if (isCsv(text)) return readCsv(name, text);
  if (!bytes.length) throw new RecordError("an empty file: choose one that holds a recording");
  if (SIGNAL_FILE.test(main.path)) {
    throw new RecordError(`a signal file without its header ${name}.hea: choose both, or their folder`);
  }
  throw new RecordError(
    `starts with ${beginningInWords(bytes)}, which is none of the formats that this page reads by itself: ` +
      `${READABLE}. \`twelvelead serve\`, which has the same page, and \`twelvelead classify\` also read ` +
      `${READ_ELSEWHERE}`,
  );
}

/** The first bytes: as text where they are, else in hexadecimal. As Python shows them. */
function beginningInWords(bytes) {
  const start = [...bytes.subarray(0, 8)];
  const isText = start.every((byte) => byte >= 32 && byte < 127 && byte !== 34);
  if (isText) return `"${String.fromCharCode(...start)}"`;
  return `the bytes "${start.map((byte) => byte.toString(16).padStart(2, "0")).join(" ")}"`;
}

async function readWfdbFiles(name, text, beside) {
  const wanted = signalFilesIn(text);
  const held = new Map();
  for (const file of beside) if (wanted.has(nameOf(file))) held.set(nameOf(file), await bytesOf(file));
  return readWfdb(name, text, (file) => held.get(file));
}

/** Where the signal files of a header lie. */
async function pathsIn(header) {
  if (header.size > MAX_HEADER_BYTES) return [];
  const bytes = await header.bytes().catch(() => new Uint8Array()); // reading it says why
  const names = signalFilesIn(new TextDecoder().decode(bytes));
  return [...names].map((name) => folderOf(header) + name);
}

/** The first word of each line, the names of signal files among them. */
function signalFilesIn(text) {
  return new Set(text.split("\n").map((line) => line.trim().split(/\s+/)[0]));
}

async function bytesOf(file) {
  if (file.size > MAX_FILE_BYTES) {
    throw new RecordError(`${file.size} bytes: at most ${MAX_FILE_BYTES} are read here; use \`twelvelead classify\`, or split the recording`);
  }
  return file.bytes().catch((error) => {
    throw new RecordError(`${nameOf(file)} cannot be read (${error.message}): choose it again`);
  });
}

/** A file's name without its folders. */
export function nameOf({ path }) {
  return path.slice(path.lastIndexOf("/") + 1);
}

function folderOf(file) {
  return file.path.slice(0, file.path.lastIndexOf("/") + 1);
}
