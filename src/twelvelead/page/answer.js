/** Where the answer comes from: this browser, with all that it needs inside the page, or the server that sent the page.
 *
 * Both give {where, name, readable, hasDocs, answer(recording, tell)}, and answer() gives {report, record or null, and
 * where there is none, why: undrawn}; a refusal is a RecordError. tell(share) while a long one is read in the browser. */

import { classify } from "./classify.js";
import { filesOf, nameOf, READABLE, readRecording } from "./files.js";
import { openNetwork } from "./network.js";
import { RecordError } from "./record.js";
import { readWfdb } from "./wfdb.js";

const SENDABLE = /^[!-~]+$/;

/** The answering side that this page has; askToken(isRefused) -> a token, where a server wants one. */
export async function openAnswers(askToken) {
  return document.getElementById("bundle-card") ? inBrowser() : atServer(askToken);
}

async function inBrowser() {
  const card = JSON.parse(held("bundle-card"));
  const [graph, wasm] = await Promise.all(["bundle-graph", "runtime-wasm"].map((id) => unpacked(held(id))));
  performance.mark("unpacked");
  const run = await openNetwork(globalThis.ort, graph, wasm);
  performance.mark("network open");
  return {
    where: "in this browser: no byte leaves this machine",
    name: card.called,
    readable: READABLE,
    hasDocs: false,
    answer: async (recording, tell) => {
      const record = await readRecording(recording);
      performance.mark("read");
      const report = await classify(record, card, run, tell);
      performance.mark("classified");
      return { record, report: { ...report, barelyLearned: card.barely_learned } };
    },
  };
}

/** The server answers; what this page reads by itself is drawn from the file, all else from the WFDB record given. */
async function atServer(askToken) {
  const ask = await connected(askToken);
  const card = await (await ask("api/bundle")).json();
  return {
    where: "by the server that sent this page, which neither stores nor logs it",
    name: card.called,
    readable: "every format that twelvelead reads",
    hasDocs: true,
    answer: async (recording) => {
      const form = new FormData();
      for (const file of await filesOf(recording)) form.append("files", new Blob([await file.bytes()]), nameOf(file));
      const report = await (await sound(ask("api/report?format=json", form))).json();
      report.attention.window_s = card.recipe.window_s;
      report.barelyLearned = card.barely_learned;
      const record = await readRecording(recording).catch(() => null);
      return record ? { record, report } : { ...(await drawable(ask, form, report)), report };
    },
  };
}

/** A function (path, form or none) -> Response, with the token that the server asks for. */
async function connected(askToken) {
  let token = "";
  const ask = async (path, body) => {
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    try {
      return await fetch(path, { method: body ? "POST" : "GET", body, headers });
    } catch {
      throw new RecordError("the server does not answer: see whether it still runs, then choose the file again");
    }
  };
  while ((await ask("api/bundle")).status === 401) token = await sendable(askToken, Boolean(token));
  return ask;
}

/** A token that can be sent at all; one with other characters is none that a server has. */
async function sendable(askToken, isRefused) {
  const token = await askToken(isRefused);
  return SENDABLE.test(token) ? token : sendable(askToken, true);
}

/** The response, or the server's refusal as a RecordError. */
async function sound(asked) {
  const response = await asked;
  if (response.ok) return response;
  const said = await response.json().catch(() => ({}));
  throw new RecordError(said.detail ?? `the server answers ${response.status}: try again later`);
}

/** {record} from the server's WFDB record of it, or why there is none. */
async function drawable(ask, form, report) {
  try {
    const given = await (await sound(ask("api/report?format=wfdb", form))).formData();
    const files = new Map(given.getAll("files").map((file) => [file.name, file]));
    const bytes = new Map();
    for (const [name, file] of files) bytes.set(name, new Uint8Array(await file.arrayBuffer()));
    const header = new TextDecoder().decode(bytes.get("recording.hea"));
    const record = readWfdb(report.record, header, (name) => bytes.get(name));
    return { record: { ...record, warnings: report.warnings } };
  } catch (error) {
    return { record: null, undrawn: error.message };
  }
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
