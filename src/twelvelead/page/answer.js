/** Where the answer comes from: this browser, with all that it needs inside the page, or the server that sent the page.
 *
 * Both give {where, name, answer(recording)}, and answer() {record or null, report}; a refusal is a RecordError. */

import { classify } from "./classify.js";
import { READABLE, readRecording } from "./files.js";
import { openNetwork } from "./network.js";
import { RecordError } from "./record.js";

/** The answering side that this page has. */
export async function openAnswers() {
  return document.getElementById("bundle-card") ? inBrowser() : atServer();
}

async function inBrowser() {
  const card = JSON.parse(held("bundle-card"));
  const [graph, wasm] = await Promise.all(["bundle-graph", "runtime-wasm"].map((id) => unpacked(held(id))));
  performance.mark("unpacked");
  const run = await openNetwork(globalThis.ort, graph, wasm, card.recipe);
  performance.mark("network open");
  return {
    where: "in this browser: no byte leaves this machine",
    name: `${card.name} ${card.version}`,
    readable: READABLE,
    answer: async (recording) => {
      const record = await readRecording(recording);
      performance.mark("read");
      const report = await classify(record, card, run);
      performance.mark("classified");
      return { record, report };
    },
  };
}

/** The server answers; the trace is read here as well, where it is of a format that this page reads. */
async function atServer() {
  const card = await (await fetch("api/bundle")).json();
  return {
    where: "on the server that sent this page",
    name: `${card.name} ${card.version}`,
    readable: "every format that twelvelead reads",
    answer: async (recording) => {
      const form = new FormData();
      for (const file of [recording.main, ...recording.beside.filter((other) => other !== recording.main)]) {
        form.append("files", new Blob([await file.bytes()]), file.path);
      }
      const response = await fetch("api/classify", { method: "POST", body: form });
      const said = await response.json();
      if (!response.ok) throw new RecordError(said.detail ?? `the server answers ${response.status}: try again later`);
      const report = said.find((one) => stemOf(one.path) === stemOf(recording.main.path)) ?? said[0];
      if (report.error) throw new RecordError(report.error);
      report.thresholds ??= card.thresholds;
      return { record: await readRecording(recording).catch(() => null), report };
    },
  };
}

function stemOf(path) {
  return (path ?? "").replace(/^.*\//, "").replace(/\.[^.]+$/, "");
}

/** The text of a block that the page carries, which is dropped then: it is megabytes. */
function held(id) {
  const block = document.getElementById(id);
  const text = block.textContent;
  block.textContent = "";
  return text;
}

/** Uint8Array from compressed bytes in base64. */
async function unpacked(text) {
  const stream = new Blob([bytesOfBase64(text)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The browser's own decoder where it has one: a loop takes many times as long. */
function bytesOfBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let k = 0; k < bytes.length; k++) bytes[k] = characters.charCodeAt(k);
  return bytes;
}
