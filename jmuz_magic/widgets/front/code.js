import { acknowledge, iconButton } from "./buttons.js";
import { insertCell } from "./cells.js";
import { copyText } from "./clipboard.js";
import { h } from "./elements.js";

/**
 * Give the code blocks of a part their buttons. They are made here: a reply cannot bring its own.
 * @param {Element} part
 */
export function addCodeTools(part) {
  for (const pre of part.querySelectorAll("pre")) {
    const block = pre.closest(".highlight") ?? pre;
    const label = block.previousElementSibling?.matches(".jmuz-label") ? block.previousElementSibling : null;
    const frame = h("div", { class: label ? "jmuz-code-frame jmuz-labelled" : "jmuz-code-frame" });
    block.replaceWith(frame);
    frame.append(...(label ? [label] : []), block, codeTools(pre));
  }
}

/** @param {HTMLPreElement} pre */
function codeTools(pre) {
  const code = () => (pre.textContent ?? "").replace(/\n$/, "");
  const copy = iconButton("copy", "Copy code", async () => {
    if (await copyText(code())) acknowledge(copy, "Copied");
  });
  const insert = iconButton("insert", "Insert as cell", async () => {
    const panel = /** @type {Element} */ (insert.closest(".jmuz-panel"));
    const done = await insertCell(panel, code());
    if (done === "inserted") acknowledge(insert, "Inserted below");
    panel.dispatchEvent(new CustomEvent("jmuz-inserted", { detail: done }));
  });
  return h("div", { class: "jmuz-code-tools" }, insert, copy);
}
