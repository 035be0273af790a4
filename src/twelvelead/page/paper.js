/** Record and paper -> page: where every line of the drawing lies in millimetres, the same as drawing/geometry.py's. */

import { gaussian, lowPass, resample } from "./filters.js";
import { LEADS, ageInWords } from "./record.js";

export const CABRERA = ["aVL", "I", "-aVR", "II", "aVF", "III", "V1", "V2", "V3", "V4", "V5", "V6"];
export const ORDERS = { standard: LEADS, cabrera: CABRERA };
export const SPEEDS_MM_PER_S = [12.5, 25, 50];
export const GAINS_MM_PER_MV = [5, 10, 20];
export const FILTERS = ["none", "0.5-40 Hz"];
export const LAYOUTS = {
  "3x4": { nRows: 3, nColumns: 4, firstMm: 20, distanceMm: 45, nameAboveMm: 17, hasRhythm: true },
  "6x2": { nRows: 6, nColumns: 2, firstMm: 15, distanceMm: 29, nameAboveMm: 12, hasRhythm: false },
  "12x1": { nRows: 12, nColumns: 1, firstMm: 14, distanceMm: 13, nameAboveMm: 4.5, hasRhythm: false },
};
export const PAPER = { layout: "3x4", order: "standard", speed: 25, gain: 10, filter: "none", startS: 0, identity: false };
export const SHEET = { widthMm: 297, heightMm: 210, grid: { x_mm: 13.5, y_mm: 22, width_mm: 270, height_mm: 175 } };
const TRACE_LEFT_MM = SHEET.grid.x_mm + 15;
const TRACES_MM = 250;
const PULSE_MV = 1;
const PULSE_S = 0.2;
const PULSE_FOOT_MM = 1;
const SEPARATOR_MM = 3;
const SAMPLE_TOLERANCE = 1e-6;
const SPARE_S = 0.5; // no sheet is begun for so little, and so little may lack at the end of a full one
const MOST_CHARACTERS = 130;
const MOST_OF_A_NAME = 40; // in the larger letters of the title, before age and sex

/** {width_mm, height_mm, grid, tints, lines, texts} of as much of a recording from asked.startS on as 250 mm hold; from
 * earlier on where less is left than that. */
export function layOut(record, asked, { caption = "", bands = [] } = {}) {
  const paper = { ...asked, startS: sheetStarts(record.durationS, asked)[0] };
  const signal = drawnSignals(record, paper.filter);
  const startsS = columnStarts(paper, record.durationS);
  const cells = cellsOf(paper, startsS);
  const still = new Set(cells.filter((cell) => isStill(record, cell)));
  const traces = cells.flatMap((cell) => (still.has(cell) ? [] : traceOf(record, signal, paper, cell)));
  const note = noteOf(record, paper, traces);
  const names = cells.map((cell) => nameOf(cell, still.has(cell)));
  return {
    width_mm: SHEET.widthMm,
    height_mm: SHEET.heightMm,
    grid: SHEET.grid,
    tints: tintsOf(bands, regionsOf(paper, startsS), paper.speed),
    lines: [...separatorsOf(cells), ...pulsesOf(paper), ...traces.map(({ line }) => line)],
    texts: [...names, ...wordsOf(titleOf(record, paper), caption, note, scaleOf(record, paper, startsS))],
  };
}

/** How many seconds one sheet holds. */
export function drawnS(paper) {
  return TRACES_MM / paper.speed;
}

/** Where in a recording its sheets begin: from paper.startS on one after the other, the last so early that it is full. */
export function sheetStarts(durationS, paper) {
  const spanS = drawnS(paper);
  const nSheets = Math.max(1, Math.ceil((durationS - paper.startS - SPARE_S) / spanS));
  const latestS = Math.max(0, durationS - spanS);
  return Array.from({ length: nSheets }, (_, number) => Math.min(paper.startS + number * spanS, latestS));
}

/** Each where the one before ends; of a recording shorter than the sheet evenly from its beginning to its end. */
function columnStarts(paper, durationS) {
  const [{ nColumns }, sheetS] = [LAYOUTS[paper.layout], drawnS(paper)];
  const lengthS = sheetS / nColumns;
  const isShort = nColumns > 1 && durationS < sheetS - SPARE_S;
  const stepS = isShort ? Math.max(0, durationS - lengthS) / (nColumns - 1) : lengthS;
  return Array.from({ length: nColumns }, (_, column) => paper.startS + column * stepS);
}

function doOverlap(paper, startsS) {
  return startsS.length > 1 && startsS[1] - startsS[0] < drawnS(paper) / startsS.length - SAMPLE_TOLERANCE;
}

function cellsOf(paper, startsS) {
  const rows = LAYOUTS[paper.layout];
  const lengthS = drawnS(paper) / rows.nColumns;
  const cells = ORDERS[paper.order].map((lead, index) => {
    const [column, row] = [Math.floor(index / rows.nRows), index % rows.nRows];
    const xMm = TRACE_LEFT_MM + (column * TRACES_MM) / rows.nColumns;
    return { lead, startS: startsS[column], lengthS, xMm, yMm: lineMm(rows, row), nameAboveMm: rows.nameAboveMm };
  });
  if (!rows.hasRhythm) return cells;
  const rhythm = { lead: "II", startS: paper.startS, lengthS: drawnS(paper), xMm: TRACE_LEFT_MM };
  return [...cells, { ...rhythm, yMm: lineMm(rows, rows.nRows), nameAboveMm: rows.nameAboveMm }];
}

function lineMm(rows, row) {
  return SHEET.grid.y_mm + rows.firstMm + row * rows.distanceMm;
}

const drawnOf = new WeakMap(); // record -> filter -> what is drawn: every sheet and layout of it shows the same

function drawnSignals(record, filter) {
  if (!drawnOf.has(record)) drawnOf.set(record, new Map());
  const known = drawnOf.get(record);
  if (!known.has(filter)) known.set(filter, drawnSignal(record, filter));
  return known.get(filter);
}

/** 12 leads at the recording's own rate, as measured unless a filter is asked for. */
function drawnSignal(record, filter) {
  if (filter === "none") return record.signal;
  const smooth = resample(record.signal, record.rateHz, record.rateHz, lowPass(Math.min(40, 0.45 * record.rateHz)));
  const baseline = resample(smooth, record.rateHz, record.rateHz, gaussian(0.5));
  return smooth.map((lead, row) => lead.map((sample, k) => sample - baseline[row][k]));
}

/** Numbers of the first and last sample of the cell, both included, as far as there are any. */
function samplesOf(record, cell) {
  const first = Math.ceil(cell.startS * record.rateHz - SAMPLE_TOLERANCE);
  const last = Math.floor((cell.startS + cell.lengthS) * record.rateHz + SAMPLE_TOLERANCE);
  return [first, Math.min(last, record.signal[0].length - 1)];
}

function leadOf(signal, cell) {
  return signal[LEADS.indexOf(cell.lead.replace("-", ""))];
}

/** Whether a lead never moves in its cell: no heart, and no electrode, gives such a line. */
function isStill(record, cell) {
  const [first, last] = samplesOf(record, cell);
  return last > first && leadOf(record.signal, cell).subarray(first, last + 1).every((sample, _, all) => sample === all[0]);
}

function nameOf({ lead, xMm, yMm, nameAboveMm }, isStill) {
  return textAt("lead", xMm + 1, yMm - nameAboveMm, isStill ? `${lead}: no signal` : lead);
}

/** A lead in its cell as {cell, line}; nothing where fewer than two samples were recorded. */
function traceOf(record, signal, paper, cell) {
  const sign = cell.lead.startsWith("-") ? -1 : 1;
  const lead = leadOf(signal, cell);
  const [first, last] = samplesOf(record, cell);
  if (last - first < 1) return [];
  const middle = sign * medianOf(lead.subarray(first, last + 1));
  const points = [];
  for (let k = first; k <= last; k++) {
    points.push([
      rounded(cell.xMm + (k / record.rateHz - cell.startS) * paper.speed),
      rounded(cell.yMm - (sign * lead[k] - middle) * paper.gain),
    ]);
  }
  return [{ cell, line: { kind: "trace", lead: cell.lead, start_s: rounded(cell.startS), points_mm: points } }];
}

/** A pulse a row before its traces, where it fits on the grid; every second row where rows are closer. */
function pulsesOf(paper) {
  const rows = LAYOUTS[paper.layout];
  const [height, width, foot] = [PULSE_MV * paper.gain, PULSE_S * paper.speed, PULSE_FOOT_MM];
  const left = TRACE_LEFT_MM - width - 3 * foot;
  const step = Math.ceil((height + 2) / rows.distanceMm);
  const pulses = [];
  for (let row = step - 1; row < rows.nRows + rows.hasRhythm; row += step) {
    const y = lineMm(rows, row);
    if (y - height < SHEET.grid.y_mm) continue;
    const along = [0, foot, foot, foot + width, foot + width, 2 * foot + width];
    const up = [0, 0, height, height, 0, 0];
    const points = along.map((x, k) => [rounded(left + x), rounded(y - up[k])]);
    pulses.push({ kind: "pulse", lead: "", start_s: 0, points_mm: points });
  }
  return pulses;
}

/** A short stroke across the line wherever one lead gives way to the next. */
function separatorsOf(cells) {
  return cells
    .filter((cell) => cell.xMm > TRACE_LEFT_MM)
    .map((cell) => {
      const points = [-SEPARATOR_MM, SEPARATOR_MM].map((dy) => [rounded(cell.xMm), rounded(cell.yMm + dy)]);
      return { kind: "separator", lead: "", start_s: 0, points_mm: points };
    });
}

/** Boxes of the paper in which x is time, from startS at the left edge: the whole sheet, or where columns overlap in time
 * each of them, and the rhythm strip. */
function regionsOf(paper, startsS) {
  const { x_mm, y_mm, width_mm, height_mm } = { ...SHEET.grid, x_mm: TRACE_LEFT_MM, width_mm: TRACES_MM };
  if (!doOverlap(paper, startsS)) return [{ startS: paper.startS, x_mm, y_mm, width_mm, height_mm }];
  const { hasRhythm, distanceMm } = LAYOUTS[paper.layout];
  const [wide, high] = [width_mm / startsS.length, height_mm - (hasRhythm ? distanceMm : 0)];
  const regions = startsS.map((startS, k) => ({ startS, x_mm: x_mm + k * wide, y_mm, width_mm: wide, height_mm: high }));
  if (!hasRhythm) return regions;
  return [...regions, { startS: paper.startS, x_mm, y_mm: y_mm + high, width_mm, height_mm: distanceMm }];
}

/** The part of each band {startS, endS, weight} that is in each region, as high as the region. */
function tintsOf(bands, regions, speed) {
  return bands.flatMap(({ startS, endS, weight }) =>
    regions.flatMap((region) => {
      const [from, to] = [Math.max(startS - region.startS, 0), Math.min(endS - region.startS, region.width_mm / speed)];
      if (to <= from) return [];
      const [x_mm, width_mm] = [rounded(region.x_mm + from * speed), rounded((to - from) * speed)];
      return [{ x_mm, y_mm: region.y_mm, width_mm, height_mm: region.height_mm, weight: rounded(weight) }];
    }),
  );
}

function wordsOf(title, caption, note, scale) {
  const belowMm = SHEET.grid.y_mm + SHEET.grid.height_mm;
  return [
    textAt("title", SHEET.grid.x_mm, 8, shortened(title), 4.2),
    textAt("caption", SHEET.grid.x_mm, 14, shortened(caption)),
    ...(note ? [textAt("note", SHEET.grid.x_mm, 19.5, shortened(note))] : []),
    textAt("scale", SHEET.grid.x_mm, belowMm + 4.5, scale),
    textAt("about", SHEET.grid.x_mm, belowMm + 9.5, "research software, no medical device", 3),
  ];
}

/** Which leads cross another row's line or leave the grid, and the way out; nothing where none does. */
function noteOf(record, paper, traces) {
  const rows = LAYOUTS[paper.layout];
  const linesMm = Array.from({ length: rows.nRows + rows.hasRhythm }, (_, row) => lineMm(rows, row));
  const bottomMm = SHEET.grid.y_mm + SHEET.grid.height_mm;
  const [into, beyond, off] = [new Set(), new Set(), new Set()];
  for (const { cell, line } of traces) {
    const crosses = (mm) => line.points_mm.some(([, y]) => y <= mm) && line.points_mm.some(([, y]) => y >= mm);
    if (linesMm.some((mm) => mm !== cell.yMm && crosses(mm))) into.add(cell.lead);
    if (line.points_mm.some(([, y]) => y < 0 || y > SHEET.heightMm)) off.add(cell.lead);
    else if (line.points_mm.some(([, y]) => y < SHEET.grid.y_mm || y > bottomMm)) beyond.add(cell.lead);
  }
  const order = ORDERS[paper.order];
  const said = [
    ...(into.size ? [`into other rows: ${listed(into, order)}`] : []),
    ...(beyond.size ? [`beyond the grid: ${listed(beyond, order)}`] : []),
    ...(off.size ? [`off the paper: ${listed(off, order)}`] : []),
  ];
  return said.length ? `reaches ${[...said, ...wayOut(record, paper)].join("; ")}` : "";
}

/** A set of leads by their names, or by those of the others where these are fewer. */
function listed(leads, order) {
  if (leads.size <= order.length / 2) return [...leads].join(", ");
  const others = order.filter((lead) => !leads.has(lead));
  return others.length ? `all but ${others.join(", ")}` : "all leads";
}

/** The next lower gain, and where there is none, the layout whose rows are farthest apart. */
function wayOut(record, paper) {
  const lower = GAINS_MM_PER_MV.filter((gain) => gain < paper.gain);
  if (lower.length) return [`see ${lower.at(-1)} mm/${record.unit}`];
  return paper.layout === "3x4" ? [] : ["see layout 3x4"];
}

function titleOf(record, paper) {
  if (!paper.identity) return "12-lead ECG";
  const age = record.age === null ? [] : [ageInWords(record.age)];
  return [`12-lead ECG ${shortened(record.name, MOST_OF_A_NAME)}`, ...age, ...(record.sex ? [record.sex] : [])].join(", ");
}

/** What the drawing is in: speed, gain and filter, always together, and what of the recording it shows. */
function scaleOf(record, paper, startsS) {
  const wholeS = record.durationS;
  const endS = Math.min(paper.startS + drawnS(paper), wholeS);
  const next = wholeS - endS > SPARE_S ? sheetStarts(wholeS, { ...paper, startS: endS })[0] : null;
  const columns = doOverlap(paper, startsS) ? overlapInWords(startsS) : "";
  return (
    `${paper.speed} mm/s   ${paper.gain} mm/${record.unit}   filter: ${paper.filter}   ` +
    `${paper.startS.toFixed(1)} to ${endS.toFixed(1)} s of ${wholeS.toFixed(1)} s` +
    `${next === null ? "" : `, next sheet from ${next.toFixed(1)} s`}${columns}   recorded at ` +
    `${Number(record.rateHz.toPrecision(6))} Hz`
  );
}

function overlapInWords(startsS) {
  if (startsS.at(-1) === startsS[0]) return ", in every column";
  return `, columns overlap: from ${startsS.map((each) => each.toFixed(1)).join(", ")} s`;
}

function textAt(kind, x, y, text, size = 3.5) {
  return { kind, x_mm: rounded(x), y_mm: rounded(y), size_mm: size, text };
}

function shortened(text, atMost = MOST_CHARACTERS) {
  const characters = [...text];
  return characters.length <= atMost ? text : `${characters.slice(0, atMost - 1).join("")}\u2026`;
}

function medianOf(lead) {
  const sorted = Float64Array.from(lead).sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

function rounded(value) {
  return Math.round(value * 1000) / 1000;
}
