/** Calipers on the sheet: two corners in millimetres, dragged or moved by keys, one small box a step. */

import { SHEET } from "./paper.js";
import { svgElement } from "./sheet.js";

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const FINE_MM = 0.2;
const LABEL_MM = 62;
const NEAREST = { block: "nearest", inline: "nearest" };

/** What lies between two corners, in the paper's units: {mmAcross, mmUp, ms, bpm or null, mv}. */
export function measured(from, to, paper) {
  const [mmAcross, mmUp] = [Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1])];
  const ms = (mmAcross / paper.speed) * 1000;
  return { mmAcross, mmUp, ms, bpm: ms > 0 ? 60_000 / ms : null, mv: mmUp / paper.gain };
}

/** The same in a few words, and with the millimetres. */
export function measuredInWords({ mmAcross, mmUp, ms, bpm, mv }, unit) {
  const rate = bpm === null ? "" : ` = ${bpm.toFixed(0)} bpm`;
  const short = `${ms.toFixed(0)} ms${rate}, ${mv.toFixed(2)} ${unit}`;
  return { short, long: `${short} (${mmAcross.toFixed(1)} mm across, ${mmUp.toFixed(1)} mm up)` };
}

/** Calipers on a focusable box that holds the sheet; tell(from, to) each time, which gives what is written beside them;
 * tell(null) when they are gone. */
export function addCalipers(box, tell) {
  const state = { corners: null, svg: null, on: false, dragging: false };
  const show = () => {
    state.svg?.querySelector(".calipers")?.remove();
    const said = tell(...(state.corners ?? [null]));
    if (state.corners && state.svg) state.svg.append(drawing(state.corners, said));
  };
  box.addEventListener("pointerdown", (event) => {
    const at = pointMm(state.svg, event);
    if (!at || event.button !== 0 || !isMeasuring(state, event)) return;
    box.setPointerCapture(event.pointerId);
    state.corners = [at, at];
    state.dragging = true;
    show();
  });
  box.addEventListener("pointermove", (event) => {
    if (!state.dragging) return;
    state.corners = [state.corners[0], pointMm(state.svg, event)];
    show();
  });
  for (const kind of ["pointerup", "pointercancel"]) {
    box.addEventListener(kind, () => {
      state.dragging = false;
    });
  }
  box.addEventListener("keydown", (event) => {
    const moved = movedByKey(state.corners, event);
    if (moved === undefined) return;
    event.preventDefault();
    state.corners = moved;
    show();
    state.svg?.querySelector(`.calipers circle:nth-of-type(${event.shiftKey ? 1 : 2})`)?.scrollIntoView(NEAREST);
  });
  return {
    /** Put the calipers on a sheet that shows the same at the same place, as with the attention behind it. */
    onto: (svg) => {
      state.svg = svg;
      show();
    },
    /** Whether a finger measures rather than scrolls. */
    forTouch: (on) => {
      state.on = on;
      box.classList.toggle("measuring", on);
      show();
    },
    clear: () => {
      state.corners = null;
      show();
    },
  };
}

function isMeasuring(state, event) {
  return event.pointerType !== "touch" || state.on;
}

/** Corners after a key: arrows move the second corner, with Shift the first, with Alt by a fifth of a box; undefined
 * where the key is none of ours. */
function movedByKey(corners, event) {
  if (event.ctrlKey || event.metaKey) return undefined;
  if (event.key === "Escape" && corners) return null;
  if (!(event.key in STEPS)) return undefined;
  if (!corners) return startingCorners();
  const [dx, dy] = STEPS[event.key].map((step) => step * (event.altKey ? FINE_MM : 1));
  const which = event.shiftKey ? 0 : 1;
  return corners.map((corner, k) => (k === which ? inside([corner[0] + dx, corner[1] + dy]) : corner));
}

/** On a corner of the grid, five boxes each way. */
function startingCorners() {
  const from = [SHEET.grid.x_mm + 25, SHEET.grid.y_mm + 25];
  return [from, [from[0] + 5, from[1] - 5]];
}

function inside([x, y]) {
  return [Math.min(Math.max(x, 0), SHEET.widthMm), Math.min(Math.max(y, 0), SHEET.heightMm)];
}

function pointMm(svg, event) {
  if (!svg) return null;
  const place = svg.getBoundingClientRect();
  const scale = SHEET.widthMm / place.width;
  return inside([(event.clientX - place.left) * scale, (event.clientY - place.top) * scale]);
}

function drawing([from, to], said) {
  const group = svgElement("g", { class: "calipers" });
  const [x, y] = [Math.min(from[0], to[0]), Math.min(from[1], to[1])];
  const [width, height] = [Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1])];
  const reach = 6;
  const d =
    `M${x} ${y - reach}V${y + height + reach}M${x + width} ${y - reach}V${y + height + reach}` +
    `M${x - reach} ${y}H${x + width + reach}M${x - reach} ${y + height}H${x + width + reach}`;
  group.append(svgElement("rect", { x, y, width, height }), svgElement("path", { d }));
  group.append(svgElement("circle", { cx: from[0], cy: from[1], r: 1 }), svgElement("circle", { cx: to[0], cy: to[1], r: 1 }));
  const isLeft = x + width > SHEET.widthMm - LABEL_MM;
  const label = svgElement("text", {
    x: isLeft ? x - 1 : x + width + 1,
    y: Math.max(y - 1.5, 4),
    "text-anchor": isLeft ? "end" : "start",
    "font-size": 3.5,
  });
  label.textContent = said;
  group.append(label);
  return group;
}
