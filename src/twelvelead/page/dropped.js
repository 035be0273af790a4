/** What was dropped or chosen -> files {path, size, bytes(), beginning()}, folders with all that is below them. */

const BEGINNING_BYTES = 4096;

/** Files of a file input, with their paths below the chosen folder. */
export function chosenFiles(list) {
  return [...list].map((file) => asFile(file, file.webkitRelativePath || file.name));
}

/** Files and folders that were dropped. */
export async function droppedFiles(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return chosenFiles(transfer.files);
  return (await Promise.all(entries.map((entry) => filesBelow(entry)))).flat();
}

async function filesBelow(entry) {
  if (entry.isFile) {
    const file = await new Promise((give, refuse) => entry.file(give, refuse));
    return [asFile(file, entry.fullPath.replace(/^\//, ""))];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((give, refuse) => reader.readEntries(give, refuse)); // a hundred at a time
    if (!some.length) break;
    found.push(...some);
  }
  return (await Promise.all(found.map((inner) => filesBelow(inner)))).flat();
}

function asFile(file, path) {
  const bytesOf = async (blob) => new Uint8Array(await blob.arrayBuffer());
  return { path, size: file.size, bytes: () => bytesOf(file), beginning: () => bytesOf(file.slice(0, BEGINNING_BYTES)) };
}
