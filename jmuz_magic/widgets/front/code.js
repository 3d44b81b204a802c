/** @import { Wanted } from "./cells.js" */

import { acknowledge, iconButton } from "./buttons.js";
import { copyText } from "./clipboard.js";
import { h } from "./elements.js";

/** What a Python kernel runs: blocks with these labels, and whatever begins with a cell magic. */
const PYTHON = new Set(["", "ipython", "ipython3", "py", "python", "python3"]);

/**
 * Give the code blocks of a part their buttons. They are made here: a reply cannot bring its own.
 * @param {Element} part
 */
export function addCodeTools(part) {
  for (const pre of part.querySelectorAll("pre")) {
    pre.tabIndex = 0; // long lines are scrolled by the keyboard, too
    const block = pre.closest(".highlight") ?? pre;
    const label = block.previousElementSibling?.matches(".jmuz-label") ? block.previousElementSibling : null;
    const frame = h("div", { class: label ? "jmuz-code-frame jmuz-labelled" : "jmuz-code-frame" });
    block.replaceWith(frame);
    frame.append(...(label ? [label] : []), block, codeTools(pre, label?.textContent ?? ""));
  }
}

/**
 * @param {HTMLPreElement} pre
 * @param {string} language
 */
function codeTools(pre, language) {
  const code = () => (pre.textContent ?? "").replace(/\n$/, "");
  const copy = iconButton("copy", "Copy code", async () => {
    if (await copyText(code())) acknowledge(copy, "Copied");
  });
  const isRunnable = PYTHON.has(language.toLowerCase()) || code().startsWith("%%");
  return h("div", { class: "jmuz-code-tools" }, isRunnable && insertButton(code), copy);
}

/** @param {() => string} code */
function insertButton(code) {
  const button = iconButton("insert", "Insert as cell", () => {
    /** @type {Wanted} */
    const detail = { code: code(), inserted: () => acknowledge(button, "Inserted below") };
    button.dispatchEvent(new CustomEvent("jmuz-insert", { detail, bubbles: true }));
  });
  return button;
}
