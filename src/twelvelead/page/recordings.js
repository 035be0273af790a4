/** The list of recordings: a button each, with what was found; arrow keys choose the one above and below. */

import { element, shortFindings } from "./findings.js";
import { printable } from "./record.js";

/** A list in an element; chosen(entry) when one is to be shown. */
export function addList(place, chosen) {
  const entries = new Map();
  let below = null;
  place.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) choose(button);
  });
  place.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const buttons = [...place.querySelectorAll("button")];
    const next = buttons[buttons.indexOf(document.activeElement) + step];
    if (!next) return;
    next.focus();
    choose(next);
  });

  /** Show one; Tab stops at this one alone. */
  function choose(button) {
    const before = place.querySelector("[aria-current]");
    before?.removeAttribute("aria-current");
    if (before) before.tabIndex = -1;
    button.setAttribute("aria-current", "true");
    button.tabIndex = 0;
    chosen(entries.get(button));
  }

  function settle(button, more, words, kind) {
    Object.assign(entries.get(button), more);
    button.lastChild.textContent = words;
    button.classList.remove("waiting");
    button.classList.toggle(kind, true);
    if (button.getAttribute("aria-current")) chosen(entries.get(button));
  }

  return {
    /** What is added from now on stands above all that is there, in its own order. */
    begin: () => {
      below = place.firstChild;
    },
    add: (path, isExample = false) => {
      const name = printable(path);
      const button = element("button", "", "waiting");
      button.type = "button";
      button.tabIndex = -1;
      button.append(element("span", name, "name"), element("span", "waiting", "short"));
      const item = element("li");
      item.append(button);
      place.insertBefore(item, below);
      entries.set(button, { name, isExample, record: null, report: null, undrawn: null, error: null });
      return button;
    },
    fill: (button, { record, report, undrawn = null }) => {
      settle(button, { record, report, undrawn }, shortFindings(report), report.positive.length ? "found" : "none");
    },
    refuse: (button, error) => settle(button, { error: printable(error) }, `refused: ${printable(error)}`, "refused"),
    choose,
    /** Of all that was added but the example, in the order of the list. */
    entries: () => [...place.querySelectorAll("button")].map((each) => entries.get(each)).filter((each) => !each.isExample),
  };
}
