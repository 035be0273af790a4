/** All that the list holds as a table of text, for a spreadsheet or a program. */

import { DIAGNOSES } from "./diagnoses.js";
import { inWords } from "./quality.js";

const COLUMNS = ["file", "heart rate", ...DIAGNOSES, "positive", "withheld", "quality", "warnings", "refused"];
const FORMULA = /^[=+\-@\t\r]/;

/** CSV of entries {name, report, error}: a line each, probabilities with four digits, empty where withheld. */
export function csvOf(entries) {
  return [COLUMNS, ...entries.map(rowOf)].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

function rowOf({ name, report, error }) {
  if (!report) return [name, ...COLUMNS.slice(2).map(() => ""), error ?? ""];
  return [
    name,
    report.heart_rate_in_words,
    ...DIAGNOSES.map((each) => report.probabilities[each]?.toFixed(4) ?? ""),
    report.positive.join(" "),
    Object.keys(report.withheld).join(" "),
    report.quality.map(inWords).join("; "),
    report.warnings.join("; "),
    "",
  ];
}

/** In quotation marks where it must be; a name that a spreadsheet would compute begins with an apostrophe. */
function cell(text) {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
