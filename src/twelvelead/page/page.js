/** The interface: what was chosen, what is shown, and what the controls do. */

import { openAnswers } from "./answer.js";
import { bandsOf, shownDiagnosis } from "./attention.js";
import { addCalipers, measured, measuredInWords } from "./calipers.js";
import { clock, LONG_S, moment, secondsOf, span } from "./clock.js";
import { IN_WORDS } from "./diagnoses.js";
import { chosenFiles, droppedFiles } from "./dropped.js";
import { EXAMPLE_NAME, exampleFile } from "./example.js";
import { recordingsAmong } from "./files.js";
import { element, findingsInWords, findingsOf } from "./findings.js";
import { drawnS, layOut, PAPER } from "./paper.js";
import { addList } from "./recordings.js";
import { inWords } from "./quality.js";
import { RecordError, ageInWords, counted } from "./record.js";
import { sheetOf } from "./sheet.js";
import { csvOf } from "./table.js";

const AT_MOST_FILES = 20_000;
const ZOOMS = [0.5, 0.75, 1, 1.5, 2, 3, 4];
const NARROW = "(max-width: 50rem)";
const TOUCH = "(pointer: coarse)";
const NUMERIC = new Set(["speed", "gain"]);
const byId = (id) => document.getElementById(id);
byId("not-running").remove();

const state = { paper: { ...PAPER }, zoom: 1, attention: false, shown: null, nShown: 0, answers: null };
const calipers = addCalipers(byId("paper"), tellCalipers);
const list = addList(byId("recordings"), show);

/** Read and classify recordings one after the other; the page stays usable between them. */
async function add(files) {
  if (files.length > AT_MOST_FILES) return tell(`${counted(files.length, "file")}: at most ${AT_MOST_FILES} at once; choose fewer`);
  const nShown = ++state.nShown;
  const recordings = await recordingsAmong(files);
  if (!recordings.length) return tell("No recording among these files.");
  list.begin();
  const rows = recordings.map((recording) => ({ recording, row: list.add(recording.main.path) }));
  const progress = progressOf(rows.length);
  let nRefused = 0;
  for (const [k, { recording, row }] of rows.entries()) {
    progress(k, 0);
    await new Promise((go) => setTimeout(go));
    const isRead = await answerInto(recording, row, (share) => progress(k, share));
    nRefused += !isRead;
    if (k === 0 && state.nShown === nShown) { // unless another was chosen or opened meanwhile
      list.choose(row);
      toPaper();
    }
  }
  byId("save").hidden = false;
  byId("progress").textContent = "";
  const nRead = rows.length - nRefused;
  return tell(`${nRead} of ${counted(rows.length, "recording")} read${nRefused ? `, ${nRefused} refused` : ""}.`);
}

/** (k, share of it that is read): where it is not read aloud; aloud are the beginning and each quarter of all. */
function progressOf(nRecordings) {
  const reading = `Reading ${counted(nRecordings, "recording")}`;
  let quarter = null;
  return (k, share) => {
    const now = Math.floor((4 * (k + share)) / nRecordings);
    if (now !== quarter) tell(now ? `${reading}: ${25 * now} %` : reading);
    quarter = now;
    byId("progress").textContent = `Recording ${k + 1} of ${nRecordings}: ${Math.floor(100 * share)} %`;
  };
}

async function answerInto(recording, row, tellShare = () => {}) {
  try {
    list.fill(row, await state.answers.answer(recording, tellShare));
    return true;
  } catch (error) {
    if (!(error instanceof RecordError)) console.error(error);
    list.refuse(row, error instanceof RecordError ? error.message : `it cannot be read (${error.message})`);
    return false;
  }
}

/** Put one of the list on the paper. */
function show(entry) {
  if (entry !== state.shown) state.nShown++;
  state.shown = entry;
  state.paper.startS = 0;
  byId("paper-title").textContent = entry.isExample ? "Simulated example" : entry.name;
  byId("findings").replaceChildren(...(entry.report ? [findingsOf(entry.report, goToOnset)] : []));
  byId("facts").textContent = entry.error ? `Refused: ${entry.error}` : factsOf(entry);
  byId("says").replaceChildren(...(entry.report ? saidOf(entry.report) : []));
  byId("facts").classList.toggle("refused", Boolean(entry.error));
  redraw();
}

/** What the network says, and the heart rate, which it has no part in. */
function saidOf(report) {
  return [`Network: ${findingsInWords(report)}. `, element("span", `Heart rate: ${report.heart_rate_in_words}.`, "rate")];
}

function factsOf({ record, undrawn, isExample }) {
  if (!record) return undrawn ? `Not drawn: ${undrawn}` : "";
  const patient = [record.age === null ? "" : ageInWords(record.age), record.sex ?? ""].filter(Boolean).join(", ");
  const made = isExample ? "Made by a simulator: nobody's heart. " : "";
  const length = record.durationS < LONG_S ? `${record.durationS.toFixed(1)} s` : clock(record.durationS);
  return `${made}${length} at ${Number(record.rateHz.toPrecision(6))} Hz${patient ? `; ${patient}` : ""}`;
}

/** Draw what puts other traces under the calipers: what they measured is not there any more. */
function redraw() {
  calipers.clear();
  draw();
}

function draw() {
  const { record, report, isExample } = state.shown ?? {};
  for (const control of byId("controls").elements) control.disabled = !record;
  if (!record) return drawNothing();
  const diagnosis = state.attention && report.attention ? shownDiagnosis(report) : null;
  const bands = diagnosis ? bandsOf(report.attention, diagnosis, record.durationS) : [];
  const looked = diagnosis ? `where the network looked for ${IN_WORDS[diagnosis]}, not a measurement` : "";
  const caption = [isExample ? "simulated, nobody's heart" : "", looked].filter(Boolean).join("; ");
  const sheet = sheetOf(layOut(record, state.paper, { caption, bands }), labelOf(record));
  sheet.style.setProperty("--zoom", state.zoom);
  byId("paper").replaceChildren(sheet);
  calipers.onto(sheet);
  setIdle("earlier", state.paper.startS <= 0);
  setIdle("later", state.paper.startS + drawnS(state.paper) >= record.durationS);
  tellPart(record.durationS);
  return undefined;
}

function drawNothing() {
  calipers.onto(null);
  byId("paper").replaceChildren();
  byId("part").textContent = byId("start").value = byId("calipers").textContent = "";
}

/** A button with nothing to do; it keeps the focus that it may have. */
function setIdle(id, isIdle) {
  byId(id).setAttribute("aria-disabled", String(isIdle));
}

/** Which part of the recording is on the paper, in words. */
function partOf(durationS) {
  const { startS } = state.paper;
  return span(startS, Math.min(startS + drawnS(state.paper), durationS), durationS);
}

function tellPart(durationS) {
  say("part", partOf(durationS));
  byId("start").value = moment(state.paper.startS, durationS);
  byId("start").setCustomValidity("");
}

function labelOf(record) {
  const { layout, speed, gain, filter } = state.paper;
  return `12-lead ECG, ${partOf(record.durationS)}, ${layout}, ${speed} mm/s, ${gain} mm/mV, filter ${filter}`;
}

function tellCalipers(from, to) {
  const words = from && measuredInWords(measured(from, to, state.paper), state.shown?.record?.unit ?? "mV");
  say("calipers", `Calipers: ${words ? words.long : calipersHint()}`);
  return words?.short;
}

/** How to measure with what this device points with. */
function calipersHint() {
  if (!window.matchMedia(TOUCH).matches) return "drag on the paper, or focus it and use the arrow keys";
  if (byId("controls").elements.measure.checked) return "drag a finger on the paper";
  return "choose \u201cFinger measures\u201d below \u201cHow it is drawn\u201d; else a finger moves the paper";
}

/** Into a place that is read aloud when it changes, and only then. */
function say(id, words) {
  if (byId(id).textContent !== words) byId(id).textContent = words;
}

function tell(sentence) {
  byId("status").textContent = sentence;
}

function zoomTo(step) {
  const at = ZOOMS.indexOf(state.zoom) + step;
  state.zoom = ZOOMS[Math.min(Math.max(at, 0), ZOOMS.length - 1)];
  byId("zoom").textContent = `${Math.round(100 * state.zoom)} %`;
  byId("paper").querySelector("svg")?.style.setProperty("--zoom", state.zoom);
}

function turn(direction) {
  const button = byId(direction < 0 ? "earlier" : "later");
  if (!state.shown?.record || button.getAttribute("aria-disabled") === "true") return;
  goTo(state.paper.startS + direction * drawnS(state.paper));
}

/** Begin the paper at a moment, or so early that the sheet is full. */
function goTo(seconds) {
  const latest = Math.max(0, state.shown.record.durationS - drawnS(state.paper));
  state.paper.startS = Math.min(Math.max(0, seconds), latest);
  redraw();
}

/** From an episode in the findings, which may be far below the paper. */
function goToOnset(seconds) {
  if (!state.shown.record) return;
  goTo(seconds);
  byId("paper").focus({ preventScroll: true });
  byId("paper-title").scrollIntoView({ block: "nearest" });
}

/** Where the list stands above the paper, the paper comes into sight once a recording is chosen. */
function toPaper() {
  if (window.matchMedia(NARROW).matches) byId("paper-title").scrollIntoView({ block: "start" });
}

/** Give what the list holds as a file; it is made here, and goes nowhere else. */
function save() {
  const link = element("a");
  link.href = URL.createObjectURL(new Blob([csvOf(list.entries())], { type: "text/csv" }));
  link.download = "twelvelead.csv";
  link.click();
  URL.revokeObjectURL(link.href);
}

/** What was typed as a moment; a sentence where it is none. */
function goToTyped(field) {
  if (!state.shown?.record) return;
  const seconds = secondsOf(field.value);
  if (Number.isNaN(seconds)) {
    field.setCustomValidity("Write seconds, or h:mm:ss.");
    field.reportValidity();
  } else goTo(seconds);
}

function setControl(target) {
  const { name, value, checked } = target;
  if (name === "measure") return calipers.forTouch(checked);
  if (name === "start") return goToTyped(target);
  if (name === "attention" || name === "identity") {
    (name === "attention" ? state : state.paper)[name] = checked;
    return draw();
  }
  state.paper[name] = NUMERIC.has(name) ? Number(value) : value;
  return state.shown?.record ? goTo(state.paper.startS) : redraw(); // a slower paper may have to begin earlier
}

/** Half of what is seen of the paper to the left or right, where it is wider than its box; else the page's key. */
function scrollAcross(event) {
  const box = byId("paper");
  if (box.scrollWidth <= box.clientWidth) return;
  event.preventDefault();
  box.scrollBy({ left: (event.key === "End" ? 0.5 : -0.5) * box.clientWidth });
}

function setTheme(isDark) {
  document.documentElement.dataset.theme = isDark ? "dark" : "light";
  byId("theme").setAttribute("aria-pressed", String(isDark));
}

/** Show the field for a server's token, and wait until it is filled in; kept in this page's memory only. */
function askToken(isRefused) {
  byId("token-form").hidden = false;
  byId("token").setAttribute("aria-invalid", String(isRefused));
  byId("token").focus();
  byId("token").select();
  if (isRefused) tell("The server refuses this token.");
  return new Promise((give) => {
    byId("token-form").onsubmit = (event) => {
      event.preventDefault();
      byId("token-form").hidden = true;
      tell("");
      give(byId("token").value.trim());
    };
  });
}

/** The controls stand open where there is room for them, and behind a line that opens them on a phone. */
function openOnWide(narrow) {
  byId("how").open = !narrow.matches;
  narrow.addEventListener("change", () => openOnWide(narrow), { once: true });
}

function listenToControls() {
  byId("controls").addEventListener("change", (event) => setControl(event.target));
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  const clicks = {
    smaller: () => zoomTo(-1),
    larger: () => zoomTo(1),
    earlier: () => turn(-1),
    later: () => turn(1),
    print: () => window.print(),
    save,
    recordings: (event) => event.target.closest("button") && toPaper(),
    theme: () => setTheme(document.documentElement.dataset.theme !== "dark"),
    "choose-files": () => byId("files").click(),
    "choose-folder": () => byId("folder").click(),
  };
  for (const [id, act] of Object.entries(clicks)) byId(id).addEventListener("click", act);
  byId("paper").addEventListener("keydown", (event) => {
    if (event.key === "+" || event.key === "=") zoomTo(1);
    if (event.key === "-") zoomTo(-1);
    if (event.key === "Home" || event.key === "End") scrollAcross(event);
  });
}

function listenToFiles() {
  const refuse = (error) => tell(`The files cannot be read (${error.message}): choose them again.`);
  for (const id of ["files", "folder"]) {
    byId(id).addEventListener("change", async (event) => {
      await add(chosenFiles(event.target.files)).catch(refuse);
      event.target.value = "";
    });
  }
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    byId("drop").classList.add("over");
  });
  document.addEventListener("dragleave", () => byId("drop").classList.remove("over"));
  document.addEventListener("drop", async (event) => {
    event.preventDefault();
    byId("drop").classList.remove("over");
    if (!isReady()) return tell(byId("status").textContent || "The page is not ready yet: drop the files again in a moment.");
    return droppedFiles(event.dataTransfer).then(add).catch(refuse);
  });
}

function isReady() {
  return document.documentElement.dataset.ready === "yes";
}

async function open() {
  setTheme(window.matchMedia("(prefers-color-scheme: dark)").matches);
  openOnWide(window.matchMedia(NARROW));
  listenToControls();
  listenToFiles();
  draw();
  try {
    state.answers = await openAnswers(askToken);
  } catch (error) {
    return tell(`The network cannot be started (${error.message}): use a current browser, or the command line.`);
  }
  byId("readable").textContent = `Reads ${state.answers.readable}. Classified ${state.answers.where}.`;
  byId("about").textContent = `${state.answers.name}. Research software, no medical device.`;
  byId("docs").hidden = !state.answers.hasDocs;
  const row = list.add(EXAMPLE_NAME, true);
  await answerInto((await recordingsAmong([exampleFile()]))[0], row);
  list.choose(row);
  for (const id of ["choose-files", "choose-folder", "files", "folder"]) byId(id).disabled = false;
  document.documentElement.dataset.ready = "yes";
  return undefined;
}

/** For programs that drive this page: files {path, size, bytes()} -> the reports, as the list shows them. */
export async function reportsOf(files) {
  const answers = [];
  for (const recording of await recordingsAmong(files)) answers.push((await state.answers.answer(recording)).report);
  return answers;
}

globalThis.twelvelead = { reportsOf, layOut, inWords, bandsOf, shownDiagnosis, findingsInWords };
open();
