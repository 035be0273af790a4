/** What a report says, as elements; every word from a file goes in as text. */

import { DIAGNOSES, IN_WORDS, aboutNormal, stated } from "./diagnoses.js";
import { throughInWords } from "./long.js";
import { inWords } from "./quality.js";

/** The nine diagnoses with probabilities and thresholds, then what goes through a long recording, quality and warnings;
 * goTo(seconds) when an episode is chosen. */
export function findingsOf(report, goTo) {
  const found = document.createDocumentFragment();
  found.append(summaryOf(report), tableOf(report));
  const notes = [
    ...throughInWords(report),
    ...report.quality.map((one) => ({ said: `quality: ${inWords(one)}${one.unusable ? "; not to be read" : ""}` })),
    ...report.warnings.map((warning) => ({ said: `warning: ${warning}` })),
  ];
  if (notes.length) {
    const list = element("ul", "", "notes");
    list.append(...notes.map((note) => noteOf(note, goTo)));
    found.append(list);
  }
  found.append(
    element("p", "Probabilities are calibrated on other recordings; a diagnosis is positive from its threshold on. " +
      "None of the nine is not the same as normal.", "hint"),
  );
  return found;
}

/** A line of the notes; an episode is a button that leads to its onset. */
function noteOf({ said, startS }, goTo) {
  if (startS === undefined) return element("li", said);
  const [item, button] = [element("li"), element("button", said, "link")];
  button.type = "button";
  button.title = "Show its onset on the paper";
  button.addEventListener("click", () => goTo(startS));
  item.append(button);
  return item;
}

/** The positive diagnoses in a few words, for the list. */
export function shortFindings(report) {
  const withheld = Object.keys(report.withheld).length;
  const words = stated(report.positive);
  const said = words.join(", ") + (words.length < report.positive.length ? " (Normal too: look at it)" : "");
  if (!withheld) return said || "none of the nine";
  if (withheld === DIAGNOSES.length) return nothingFound(report);
  return `${said || `none of ${DIAGNOSES.length - withheld}`}; ${withheld} withheld`;
}

/** The positive diagnoses with their probabilities, and how many are withheld, in a line. */
export function findingsInWords(report) {
  const mean = report.burden ? "mean " : "";
  const said = stated(report.positive).map((name) => `${IN_WORDS[name]} ${mean}${twoDigits(report.probabilities[name])}`);
  const withheld = Object.keys(report.withheld);
  const missing = withheld.length ? `; withheld: ${withheld.join(", ")}` : "";
  const about = aboutNormal(report);
  const doubt = about && report.positive.length === 1 ? "no all-clear" : about; // the findings say why
  const through = Object.entries(report.burden ?? {}).filter(([, { share }]) => share);
  const shares = through.map(([name, { share }]) => `; ${name} in ${(100 * share).toFixed(1)}% of windows`).join("");
  return `${said.join(", ") || nothingFound(report)}${doubt && `; ${doubt}`}${shares}${missing}`;
}

/** What is said where no diagnosis is positive, by how many could not be assessed. */
function nothingFound(report) {
  const left = DIAGNOSES.length - Object.keys(report.withheld).length;
  if (left === DIAGNOSES.length) return "none of the nine diagnoses";
  return left ? `none of the ${left} diagnoses that could be assessed` : "nothing could be assessed";
}

/** An element with text, never markup. */
export function element(name, text = "", kind = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function summaryOf(report) {
  const words = stated(report.positive).map((name) => IN_WORDS[name]);
  const [line, doubt] = [element("p", "", "summary"), aboutNormal(report)];
  line.append(element("strong", words.join(", ") || nothingFound(report)));
  if (doubt) line.append(`; ${doubt}`);
  return line;
}

function tableOf(report) {
  const table = element("table");
  table.append(element("caption", "Nine diagnoses, each by itself"));
  const head = table.createTHead().insertRow();
  for (const title of ["diagnosis", report.burden ? "mean probability" : "probability", "positive from", "decision"]) {
    const cell = element("th", title);
    cell.scope = "col";
    head.append(cell);
  }
  const body = table.createTBody();
  for (const name of DIAGNOSES) body.append(rowOf(name, report));
  return table;
}

function rowOf(name, report) {
  const [probability, threshold] = [report.probabilities[name], report.thresholds[name]];
  const isPositive = report.positive.includes(name);
  const row = element("tr", "", isPositive ? "positive" : "");
  const title = element("th", name === "Normal" ? IN_WORDS[name] : `${IN_WORDS[name]} (${name})`);
  title.scope = "row";
  const shown = element("td", "", "probability");
  if (probability === null) shown.append("\u2013");
  else shown.append(element("span", apartFrom(probability, threshold)), meterOf(probability, threshold));
  row.append(title, shown, element("td", threshold.toFixed(3)), element("td", decisionOf(name, report)));
  return row;
}

function decisionOf(name, { positive, withheld, barelyLearned = {} }) {
  if (positive.includes(name)) return "\u25cf positive";
  if (name in withheld) return `withheld: ${withheld[name]}`;
  return name in barelyLearned ? `learned from ${barelyLearned[name]} recordings: it may be there` : "";
}

/** As a sentence has it; of less than a hundredth a digit more, so that nothing positive is 0.00. */
function twoDigits(probability) {
  return probability.toFixed(probability < 0.01 ? 3 : 2);
}

/** To three digits, or to more where it would else be shown as the threshold that it misses; as words.py says it. */
function apartFrom(probability, threshold) {
  let nDigits = 3;
  while (probability < threshold && Number(probability.toFixed(nDigits)) >= threshold && nDigits < 17) nDigits++;
  return probability.toFixed(nDigits);
}

function meterOf(probability, threshold) {
  const meter = element("span", "", "meter");
  meter.setAttribute("aria-hidden", "true");
  const fill = element("span", "", "fill");
  fill.style.width = `${100 * probability}%`;
  const mark = element("span", "", "mark");
  mark.style.left = `${100 * threshold}%`;
  meter.append(fill, mark);
  return meter;
}
