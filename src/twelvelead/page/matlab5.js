/** CPSC2018 as first published: a level 5 MAT-file with a struct ECG of sex, age and data; 500 Hz by its specification.
 *
 * Format: MathWorks, "MAT-File Format", level 5. Source: http://2018.icbeb.org/Challenge.html. */

import { LEADS, RecordError, recordFromLeads, refuseTooMany } from "./record.js";

const MAT_HEADER_BYTES = 128;
const MAX_MAT_BYTES = 1 << 25;
const MAX_MAT_ELEMENTS = 64;
const CPSC_HZ = 500;
const [MATRIX, COMPRESSED, STRUCT_CLASS, TEXT_CLASS] = [14, 15, 2, 4];
const NUMBERS = {
  1: [1, "getInt8"],
  2: [1, "getUint8"],
  3: [2, "getInt16"],
  4: [2, "getUint16"],
  5: [4, "getInt32"],
  6: [4, "getUint32"],
  7: [4, "getFloat32"],
  9: [8, "getFloat64"],
  12: [8, "getBigInt64"],
  13: [8, "getBigUint64"],
};

/** Whether bytes begin as a little-endian MAT-file of level 5 does. */
export function isMatlab5(bytes) {
  return ascii(bytes.subarray(0, 10)) === "MATLAB 5.0" && ascii(bytes.subarray(124, 128)) === "\0\u0001IM";
}

/** Read one recording of CPSC2018. */
export async function readCpsc2018(name, bytes) {
  const fields = await ecgFields(bytes);
  const data = fields?.get("data");
  if (data?.shape?.[0] !== LEADS.length) {
    throw new RecordError("MATLAB file without a struct ECG of 12 leads x samples: it is no recording of CPSC2018");
  }
  refuseTooMany(data.values.length);
  const nSamples = data.shape[1];
  const lead = (row) => Float32Array.from({ length: nSamples }, (_, k) => data.values[k * LEADS.length + row]);
  const age = fields.get("age");
  const sex = fields.get("sex");
  return recordFromLeads(name, new Map(LEADS.map((each, row) => [each, lead(row)])), CPSC_HZ, {
    age: age?.values?.length === 1 ? age.values[0] : null,
    sex: typeof sex === "string" ? sex : null,
    warnings: ["rate, unit and lead order are those of CPSC2018's specification: 500 Hz, mV, standard order"],
  });
}

async function ecgFields(bytes) {
  try {
    for (const [kind, body] of partsIn(bytes.subarray(MAT_HEADER_BYTES))) {
      const inner = kind === COMPRESSED ? partsIn(await inflated(body)) : [[kind, body]];
      for (const [innerKind, matrix] of inner) {
        const fields = innerKind === MATRIX ? structFields(matrix, "ECG") : null;
        if (fields) return fields;
      }
    }
  } catch (error) {
    if (error instanceof RecordError) throw error;
    throw new RecordError("MATLAB file is damaged: fetch it again");
  }
  return null;
}

/** zlib's format, by the browser; gives up at a size that no recording has. */
async function inflated(body) {
  const reader = new Blob([body]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  const chunks = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > MAX_MAT_BYTES) {
      throw new RecordError(`MATLAB file inflates to more than ${MAX_MAT_BYTES} bytes: that is no recording of CPSC2018`);
    }
    chunks.push(value);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/** [type, body] of each element in turn; a small element keeps its body inside its own tag. */
function partsIn(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    if (parts.length === MAX_MAT_ELEMENTS) throw new RangeError();
    const [kind, size] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    if (kind >> 16) {
      parts.push([kind & 0xffff, bytes.subarray(at + 4, at + 4 + Math.min(kind >> 16, 4))]);
      at += 8;
    } else {
      if (at + 8 + size > bytes.length) throw new RangeError();
      parts.push([kind, bytes.subarray(at + 8, at + 8 + size)]);
      at += 8 + size + (kind === COMPRESSED ? 0 : (8 - (size % 8)) % 8);
    }
  }
  return parts;
}

/** Field name -> text, or {shape, values}; null where the matrix is no 1 x 1 struct of that name. */
function structFields(matrix, name) {
  const parts = partsIn(matrix);
  if (parts[0][1][0] !== STRUCT_CLASS || ascii(parts[2][1]) !== name) return null;
  const [length, names] = [parts[3][1][0], parts[4][1]];
  if (!length || names.length / length !== parts.length - 5) throw new RangeError();
  return new Map(
    parts.slice(5).map(([, body], k) => [ascii(names.subarray(k * length, (k + 1) * length)).split("\0")[0], arrayOf(body)]),
  );
}

function arrayOf(matrix) {
  const parts = partsIn(matrix);
  const [kind, body] = parts[3];
  if (parts[0][1][0] === TEXT_CLASS) return ascii(body).replaceAll("\0", "");
  if (!(kind in NUMBERS)) throw new RangeError();
  const [size, getter] = NUMBERS[kind];
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const extent = parts[1][1];
  const lengths = new DataView(extent.buffer, extent.byteOffset, extent.byteLength);
  const shape = [lengths.getInt32(0, true), lengths.getInt32(4, true)];
  const values = Float32Array.from({ length: body.length / size }, (_, k) => Number(view[getter](k * size, true)));
  if (shape[0] * shape[1] !== values.length) throw new RangeError();
  return { shape, values };
}

function ascii(bytes) {
  return new TextDecoder("latin1").decode(bytes);
}
