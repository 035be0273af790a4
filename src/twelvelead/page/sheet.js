/** A page of geometry -> an SVG element whose unit is the millimetre; colours come from the style sheet. */

const SVG = "http://www.w3.org/2000/svg";
const TINT_OPACITY = 0.35;
const HALO = { stroke: "var(--sheet)", strokeWidth: "0.8", strokeLinejoin: "round", paintOrder: "stroke" }; // behind letters

/** The drawing as an element; label: what a screen reader says of it. */
export function sheetOf(page, label) {
  const svg = svgElement("svg", {
    viewBox: `0 0 ${page.width_mm} ${page.height_mm}`,
    class: "sheet",
    role: "img",
    "aria-label": label,
  });
  svg.append(svgElement("rect", { class: "ground", width: page.width_mm, height: page.height_mm }));
  for (const tint of page.tints) {
    const { x_mm: x, y_mm: y, width_mm: width, height_mm: height } = tint;
    svg.append(svgElement("rect", { class: "tint", x, y, width, height, "fill-opacity": TINT_OPACITY * tint.weight }));
  }
  svg.append(...gridOf(page.grid));
  for (const line of page.lines) {
    const d = `M${line.points_mm.map(([x, y]) => `${x} ${y}`).join("L")}`;
    svg.append(svgElement("path", { class: line.kind, "data-lead": line.lead, d }));
  }
  for (const { kind, x_mm: x, y_mm: y, size_mm, text } of page.texts) {
    const written = svgElement("text", { class: `word ${kind}`, x, y, "font-size": size_mm });
    written.textContent = text;
    Object.assign(written.style, HALO);
    svg.append(written);
  }
  return svg;
}

/** An element of SVG with its attributes. */
export function svgElement(name, attributes = {}) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/** Lines each millimetre and stronger ones each five, counted from the grid's corner. */
function gridOf({ x_mm: left, y_mm: top, width_mm: width, height_mm: height }) {
  return [1, 5].map((step) => {
    let d = "";
    for (let x = 0; x <= width; x += step) d += `M${left + x} ${top}v${height}`;
    for (let y = 0; y <= height; y += step) d += `M${left} ${top + y}h${width}`;
    return svgElement("path", { class: `grid-${step}`, d });
  });
}
