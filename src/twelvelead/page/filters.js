/** Zero-phase filtering and resampling in one: each output is a weighted sum of the inputs around it, with the same
 * kernels and the same 32-bit roundings as signals/filters.py. */

const LOW_PASS_HALF_WIDTH_S = 0.15;
const LOW_PASS_KAISER_BETA = 5;
const GAUSSIAN_HALF_WIDTH = 3;
const MIN_BLOCK = 32;
const MAX_BLOCK = 256n;

/** A sinc under a Kaiser window: flat below the corner, half of the amplitude at it. */
export function lowPass(cornerHz) {
  const weight = (timeS) => {
    const inside = Math.max(0, 1 - (timeS / LOW_PASS_HALF_WIDTH_S) ** 2);
    return sinc(2 * cornerHz * timeS) * besselI0(LOW_PASS_KAISER_BETA * Math.sqrt(inside));
  };
  return { weight, halfWidthS: LOW_PASS_HALF_WIDTH_S };
}

/** A Gaussian moving average; what remains when it is subtracted is down 3 dB at the corner. */
export function gaussian(cornerHz) {
  const deviationS = Math.sqrt(-Math.log(1 - Math.sqrt(0.5)) / 2) / (Math.PI * cornerHz);
  const weight = (timeS) => Math.exp(-0.5 * (timeS / deviationS) ** 2);
  return { weight, halfWidthS: GAUSSIAN_HALF_WIDTH * deviationS };
}

/** Leads of n samples at `fromHz` -> leads of ceil(n * toHz / fromHz) at `toHz`, smoothed by the kernel. */
export function resample(leads, fromHz, toHz, kernel) {
  const { nOut, stepIn, phases } = phasesOf(fromHz, toHz, kernel);
  const nIn = leads[0].length;
  const n = Math.ceil((nIn * nOut) / stepIn);
  const results = leads.map(() => new Float32Array(n));
  for (let k = 0; k < n; k++) {
    const { first, weights, whole } = phases[k % nOut];
    const start = Math.floor(k / nOut) * stepIn + first;
    const [low, high] = [Math.max(0, -start), Math.min(weights.length, nIn - start)];
    const share = high - low === weights.length ? whole : Math.fround(sumOf(weights.subarray(low, high)));
    leads.forEach((lead, row) => {
      let sum = 0;
      for (let tap = low; tap < high; tap++) sum += weights[tap] * lead[start + tap];
      results[row][k] = Math.fround(sum) / share;
    });
  }
  return results;
}

/** The weights of each of the nOut outputs of a block: first input, counted from the block's, Float32Array, its sum. */
function phasesOf(fromHz, toHz, kernel) {
  const [numerator, denominator] = limitedFraction(fromHz, toHz, MAX_BLOCK);
  const nOut = denominator * Math.ceil(MIN_BLOCK / denominator);
  const ratio = numerator / denominator;
  const reach = Math.ceil(kernel.halfWidthS * fromHz);
  const phases = Array.from({ length: nOut }, (_, k) => {
    const centre = k * ratio;
    const first = Math.ceil(centre - reach);
    const raw = [];
    for (let at = first; at - centre <= reach; at++) raw.push(kernel.weight((at - centre) / fromHz));
    const sum = sumOf(raw);
    const weights = Float32Array.from(raw, (weight) => weight / sum);
    return { first, weights, whole: Math.fround(sumOf(weights)) };
  });
  return { nOut, stepIn: (nOut / denominator) * numerator, phases };
}

export function sumOf(values) {
  return values.reduce((total, value) => total + value, 0);
}

/** a / b as the nearest [numerator, denominator] with a denominator of at most `limit`, from the exact doubles. */
export function limitedFraction(a, b, limit) {
  const [aTop, aBottom] = exact(a);
  const [bTop, bBottom] = exact(b);
  let [n, d] = reduced(aTop * bBottom, aBottom * bTop);
  if (d <= limit) return [Number(n), Number(d)];
  const bottom = d;
  let [p0, q0, p1, q1] = [0n, 1n, 1n, 0n];
  for (;;) {
    const whole = n / d;
    const q2 = q0 + whole * q1;
    if (q2 > limit) break;
    [p0, q0, p1, q1] = [p1, q1, p0 + whole * p1, q2];
    [n, d] = [d, n - whole * d];
  }
  const k = (limit - q0) / q1;
  const isNearer = 2n * d * (q0 + k * q1) <= bottom;
  return isNearer ? [Number(p1), Number(q1)] : [Number(p0 + k * p1), Number(q0 + k * q1)];
}

/** A positive double as a fraction of whole numbers. */
function exact(value) {
  let bottom = 1n;
  while (!Number.isInteger(value)) {
    value *= 2;
    bottom *= 2n;
  }
  return [BigInt(value), bottom];
}

function reduced(n, d) {
  let [a, b] = [n, d];
  while (b) [a, b] = [b, a % b];
  return [n / a, d / a];
}

function sinc(x) {
  const angle = Math.PI * (x === 0 ? 1e-20 : x);
  return Math.sin(angle) / angle;
}

/** The modified Bessel function of order 0, by its power series; arguments up to 5. */
function besselI0(x) {
  const quarter = (x * x) / 4;
  let [sum, term] = [1, 1];
  for (let k = 1; term > 1e-18 * sum; k++) {
    term *= quarter / (k * k);
    sum += term;
  }
  return sum;
}
