/** The network on onnxruntime-web: one thread of WebAssembly, which needs no server and no special header. */

import { LEADS } from "./record.js";

/** run(windows, nWindows) -> {logits, attention}, Float32Array each; ort: the runtime, graph and wasm: Uint8Array. */
export async function openNetwork(ort, graph, wasm) {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.proxy = false;
  ort.env.wasm.wasmBinary = wasm;
  const session = await ort.InferenceSession.create(graph, { executionProviders: ["wasm"] });
  return async (windows, nWindows) => {
    const tensor = new ort.Tensor("float32", windows, [nWindows, LEADS.length, windows.length / nWindows / LEADS.length]);
    const start = performance.now();
    const { logits, attention } = await session.run({ windows: tensor });
    performance.measure("inference", { start, detail: nWindows });
    return { logits: logits.data, attention: attention.data };
  };
}
