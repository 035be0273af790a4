/** CSV: `# rate_hz: 500` and `# unit: mV` before a line of lead names, then a line a sample; nothing is guessed.
 *
 * What the names say of unit and time is held against the header, as formats/table.py does. */

import { RecordError, millivoltsPer, recordFromLeads, refuseTooMany, standardLead, withoutEnd } from "./record.js";

const MAX_CSV_BYTES = 1 << 24;
const MAX_HEADER_LINES = 64;
const MAX_COLUMNS = 64;
const ROW_NUMBERS = "";
const SEPARATORS = [",", ";", "\t"];
const DECIMAL = /^\s*[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?\s*$/i;
const BARE_CELL = /^[-+\d.e\s]*$/i;
const LEAST_BARE_CELLS = 8;
const UNIT_IN_NAME = /[([]\s*([munµμ]?v)\s*[)\]]|[\s_]([munµμ]v)$/i;
const TIME_UNIT = "(s|secs?|seconds?|ms|msecs?|milliseconds?)";
const TIME = new RegExp(`^(?:(?:time|t)[\\s_]*(?:[([]\\s*)?(?:${TIME_UNIT}\\s*)?[)\\]]?|${TIME_UNIT})$`, "i");
const TIME_ERROR = 0.01;
const MOST_UNEVEN_STEPS = 1.5; // times in whole milliseconds are off by half of one
const THOUSANDS = { ",": /^[-+]?[1-9]\d{0,2}(?:,\d{3})+$/, ".": /^[-+]?[1-9]\d{0,2}(?:\.\d{3})+$/ };
const STATED = /^#\s*(?:rate_hz|unit)\s*:/i;
const CSV_COMMENT = /^#\s*([A-Za-z_]+)\s*:\s*(.*)/;

/** Whether text states a rate or unit, or begins with lead names or eight numbers or more, after any comments. */
export function isCsv(text) {
  if (text.includes("\0")) return false;
  if (text.split(/\r?\n/, MAX_HEADER_LINES).some((line) => STATED.test(line))) return true;
  const first = text.split(/\r?\n/).find((line) => line.trim() && !line.startsWith("#")) ?? "";
  const cells = cellsOf(first).map(unquoted);
  const isBare = cells.length >= LEAST_BARE_CELLS && cells.every((cell) => BARE_CELL.test(cell)) && cells.some(Boolean);
  return isBare || cells.filter(standardLead).length >= 2;
}

/** A record from a table with named columns. */
export function readCsv(name, text) {
  if (text.length > MAX_CSV_BYTES) {
    throw new RecordError(`${text.length} bytes: at most ${MAX_CSV_BYTES} are read; split the recording`);
  }
  const lines = text.trimEnd().split(/\r\n|\r|\n/);
  const stated = new Map();
  let at = 0;
  while (at < Math.min(MAX_HEADER_LINES, lines.length) && (!lines[at].trim() || lines[at].startsWith("#"))) {
    const match = CSV_COMMENT.exec(withoutEnd(lines[at++], ",;\t")); // which spreadsheets add, as many as columns
    if (match) state(stated, match[1].toLowerCase(), match[2].trim());
  }
  const line = lines[at] ?? "";
  const names = cellsOf(line).map(unquoted);
  if (!names.some(standardLead)) {
    throw new RecordError(`columns without lead names ('${line.slice(0, 40)}'): begin the table with a line of them`);
  }
  if (names.length > MAX_COLUMNS) {
    throw new RecordError(`${names.length} columns: there may be ${MAX_COLUMNS}; leave out what is no lead`);
  }
  const twice = names.find((column, k) => names.indexOf(column) < k);
  if (twice !== undefined) throw new RecordError(`column '${twice}' is there twice: name each column once`);
  const { rateHz, unit } = rateAndUnit(stated, names);
  refuseAnotherUnit(names, unit);
  const isStandardised = unit === "NU";
  const scale = isStandardised ? 1 : Math.fround(millivoltsPer(unit));
  const columns = numbers(lines, at + 1, separatorOf(line), names.length);
  names.forEach((column, k) => refuseAnotherRate(column, columns[k], rateHz));
  const leads = new Map(names.map((lead, k) => [lead, Float32Array.from(columns[k], (number) => Math.fround(number) * scale)]));
  leads.delete(ROW_NUMBERS); // pandas and R write them in a first column without a name
  return recordFromLeads(name, leads, rateHz, {
    unit: isStandardised ? "NU" : "mV",
    age: stated.get("age"),
    sex: stated.get("sex"),
  });
}

function state(stated, name, value) {
  if (stated.has(name) && stated.get(name) !== value) {
    throw new RecordError(`${name} is stated twice, as '${stated.get(name)}' and '${value}': leave the wrong one out`);
  }
  stated.set(name, value);
}

function rateAndUnit(stated, names) {
  const rate = stated.get("rate_hz");
  if (rate === undefined) {
    throw new RecordError("no sampling rate is stated: write `# rate_hz: 500` before the names");
  }
  const rateHz = DECIMAL.test(rate) ? Number(rate) : NaN;
  if (Number.isNaN(rateHz)) throw new RecordError(`rate_hz '${rate}': it must be a number of Hz; correct the header`);
  const unit = stated.get("unit") ?? unitOfAll(names);
  if (unit === undefined) throw new RecordError("no unit is stated: write `# unit: mV` before the names");
  return { rateHz, unit };
}

/** The unit that the name of every lead states, if it is one. */
function unitOfAll(names) {
  const units = new Set(names.filter(standardLead).map((name) => unitIn(name)?.toLowerCase()));
  return units.size === 1 ? [...units][0] : undefined;
}

/** The unit of a column such as `I (uV)` or `I_uV`, if its name states one. */
function unitIn(name) {
  const found = UNIT_IN_NAME.exec(name);
  return found?.[1] ?? found?.[2];
}

/** Refuse a table in which a column such as `I (uV)` states another unit than the header. */
function refuseAnotherUnit(names, unit) {
  for (const name of names.filter(standardLead)) {
    const stated = unitIn(name);
    if (stated && (unit === "NU" || millivoltsPer(stated) !== millivoltsPer(unit))) {
      throw new RecordError(`column '${name}' states ${stated}, the header ${unit}: leave the wrong one out`);
    }
  }
}

/** Refuse a table in which a column of times, in seconds or milliseconds, goes at another rate than the header. */
function refuseAnotherRate(name, times, rateHz) {
  const match = TIME.exec(name);
  if (!match || times.length < 2) return;
  const step = (times.at(-1) - times[0]) / (times.length - 1);
  refuseUneven(name, times, step);
  const unit = (match[1] ?? match[2])?.toLowerCase();
  if (step === 1 && !unit) return; // numbers of samples
  const perSecond = !unit ? [1, 1000] : unit.startsWith("m") ? [1000] : [1];
  if (perSecond.every((per) => Math.abs(step * rateHz - per) > TIME_ERROR * per)) {
    throw new RecordError(
      `column '${name}' goes in steps of ${Number(step.toPrecision(6))}, the header states ${rateHz} Hz: ` +
        "correct the wrong one",
    );
  }
}

function refuseUneven(name, times, step) {
  const isUneven = (time, k) => Math.abs(time - times[0] - k * step) > MOST_UNEVEN_STEPS * Math.abs(step);
  if (!times.some(isUneven)) return;
  const jumps = times.subarray(1).map((time, k) => Math.abs(time - times[k] - step));
  const at = jumps.reduce((worst, jump, k) => (jump > jumps[worst] ? k : worst), 0);
  const [before, after] = [times[at], times[at + 1]].map((time) => Number(time.toPrecision(15)));
  throw new RecordError(
    `column '${name}' goes from ${before} to ${after} after row ${at + 1}, and not in even steps: ` +
      "samples are missing, or are there twice; cut the recording there",
  );
}

/** One Float64Array a column. */
function numbers(lines, from, separator, nColumns) {
  const rows = Array.from({ length: Math.max(0, lines.length - from) }, (_, k) => from + k);
  if (!rows.length) throw new RecordError("a table without a line of numbers: there must be one a sample");
  refuseTooMany(rows.length * nColumns);
  const columns = Array.from({ length: nColumns }, () => new Float64Array(rows.length));
  const marks = [",", "."].filter((mark) => separator !== "," && rows.some((at) => lines[at].includes(mark)));
  const hasDecimalCommas = marks.join() === ",";
  if (marks.length === 1) refuseThousands(lines.slice(from), separator, marks[0]);
  rows.forEach((at, k) => {
    if (!lines[at].trim()) {
      throw new RecordError(`line ${at + 1} is empty: a sample is missing there, or the line is too many`);
    }
    const line = hasDecimalCommas ? lines[at].replaceAll(",", ".") : lines[at];
    const row = line.split(separator).map(unquoted);
    if (row.length !== nColumns || row.some((cell) => !DECIMAL.test(cell))) {
      throw new RecordError(`line ${at + 1} is no row of ${nColumns} numbers: correct the table`);
    }
    row.forEach((cell, column) => {
      columns[column][k] = Number(cell);
    });
  });
  return columns;
}

/** Refuse commas or points that look like those of `1,296`: in thousands only, beside numbers without any. */
function refuseThousands(lines, separator, mark) {
  const cells = (line) => line.split(separator).map(unquoted);
  const parted = (line) => cells(line).filter((cell) => cell.includes(mark));
  const isOfThousands = lines.every((line) => parted(line).every((cell) => THOUSANDS[mark].test(cell)));
  if (isOfThousands && lines.some((line) => cells(line).some((cell) => !cell.includes(mark)))) {
    throw new RecordError(
      `'${parted(lines.find((line) => line.includes(mark)))[0]}' beside numbers without a ` +
        `${mark === "," ? "comma" : "point"}: it parts thousands, or decimals; write numbers without marks of ` +
        "thousands, and with decimal points",
    );
  }
}

function separatorOf(line) {
  const counts = SEPARATORS.map((mark) => line.split(mark).length);
  return SEPARATORS[counts.indexOf(Math.max(...counts))];
}

function cellsOf(line) {
  return line.split(separatorOf(line));
}

function unquoted(cell) {
  return withoutEnd(cell.trim().replace(/^"+/, ""), '"');
}
