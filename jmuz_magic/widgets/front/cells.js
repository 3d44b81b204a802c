import { copyText } from "./clipboard.js";
import { h } from "./elements.js";

const NOTEBOOK = ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook"; // the one that is seen
const ACTIVE_CELL = ".jp-Cell.jp-mod-active";

/** @typedef {"inserted" | "copied" | "failed"} Inserted */

/**
 * Put code into a new cell below, never run; "copied" where the front end does not let us.
 *
 * JupyterLab and Notebook 7 run the command that a clicked element names. The element must lie inside the panel:
 * from a trusted notebook they then do not ask, and one command for both steps means one question at most.
 * @param {Element} panel
 * @param {string} code
 * @returns {Promise<Inserted>}
 */
export async function insertCell(panel, code) {
  const notebook = panel.closest(".jp-Notebook") ?? document.querySelector(NOTEBOOK);
  if (notebook) {
    const before = notebook.querySelector(ACTIVE_CELL);
    clickCommand(panel, "apputils:run-all-enabled", {
      commands: ["notebook:insert-cell-below", "notebook:replace-selection"],
      args: { text: code },
      errorIfNotEnabled: true,
    });
    if (await appeared(notebook, before)) return "inserted";
  }
  return (await copyText(code)) ? "copied" : "failed";
}

/**
 * @param {Element} panel
 * @param {string} command
 * @param {object} parameters
 */
function clickCommand(panel, command, parameters) {
  const link = h("button", {
    type: "button",
    hidden: true,
    "data-commandlinker-command": command,
    "data-commandlinker-args": JSON.stringify(parameters),
  });
  panel.append(link);
  link.click();
  link.remove();
}

/**
 * Whether another cell became the active one and has text; waits while the front end asks the user.
 * @param {Element} notebook
 * @param {Element | null} before
 */
async function appeared(notebook, before) {
  for (let quiet = 0; quiet < 40; quiet += 1) {
    await new Promise((done) => setTimeout(done, 25));
    const cell = notebook.querySelector(ACTIVE_CELL);
    if (cell && cell !== before && cell.querySelector(".cm-content")?.textContent?.trim()) return true;
    if (document.querySelector(".jp-Dialog")) quiet = 0;
  }
  return false;
}
