import { copyText } from "./clipboard.js";
import { h } from "./elements.js";

const NOTEBOOK = ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook"; // the visible one
const ACTIVE_CELL = ".jp-Cell.jp-mod-active";

/** @typedef {"inserted" | "copied" | "failed"} Inserted */

/**
 * Insert code as a new cell below, without running it; "copied" where the front end does not allow that.
 *
 * JupyterLab and Notebook 7 run the command that a clicked element names. The element must be inside the panel: then
 * a trusted notebook does not ask, and since one command does both steps, any other asks once.
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
 * Whether a different cell became active and has text; waits while the front end asks the user.
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
