import { copyText } from "./clipboard.js";
import { h } from "./elements.js";

const ACTIVE_CELL = ".jp-Cell.jp-mod-active";
const QUIET = 40; // looks, 25 ms apart, in which nothing happens before we stop waiting

/** @typedef {"inserted" | "refused" | "impossible"} Outcome */
/** @typedef {{ code: string, inserted: () => void }} Wanted What a button for code asks of its panel. */

/**
 * Insert code as a new cell below a panel, without running it; where the front end cannot do that, copy it.
 *
 * JupyterLab and Notebook 7 run the command that a clicked element names. In a notebook that is not trusted they ask
 * first: about one command, since one does both steps, and about none in a trusted notebook, since the element is
 * inside the panel there. What the user refuses is not copied either.
 * @param {Wanted} wanted
 * @param {HTMLElement[]} panels The views of the panel, first the one that was clicked.
 * @returns {Promise<string>} What became of it, in words.
 */
export async function insertCell({ code, inserted }, panels) {
  const outcome = await tried(code, panels);
  if (outcome === "refused") return "Nothing inserted.";
  if (outcome === "impossible") {
    if (await copyText(code)) return "No cell can be inserted from here; the code is on the clipboard.";
    return "Neither inserted nor copied; select the code and copy it.";
  }
  inserted();
  return "Inserted below as a new cell; it was not run.";
}

/**
 * @param {string} code
 * @param {HTMLElement[]} panels
 * @returns {Promise<Outcome>}
 */
async function tried(code, panels) {
  const panel = panels.find((each) => each.closest(".jp-Notebook"));
  const notebook = panel?.closest(".jp-Notebook");
  if (!panel || !notebook || !isFocused(panel)) return "impossible";
  const before = notebook.querySelector(ACTIVE_CELL);
  clickCommand(panel, "apputils:run-all-enabled", {
    commands: ["notebook:insert-cell-below", "notebook:replace-selection"],
    args: { text: code },
    errorIfNotEnabled: true,
  });
  return outcome(notebook, before);
}

/**
 * Whether a panel has the focus, which makes its cell the active one; an Output View's hands it to the notebook's.
 * @param {HTMLElement} panel
 */
function isFocused(panel) {
  const has = () => panel.contains(document.activeElement);
  if (!has()) /** @type {HTMLElement | null} */ (panel.querySelector("[role=log]"))?.focus({ preventScroll: true });
  return has();
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
 * "inserted" once a different cell is active and has text; waits while the front end asks the user.
 * @param {Element} notebook
 * @param {Element | null} before
 * @returns {Promise<Outcome>}
 */
async function outcome(notebook, before) {
  let asked = false;
  for (let quiet = 0; quiet < QUIET; quiet += 1) {
    await new Promise((done) => setTimeout(done, 25));
    const cell = notebook.querySelector(ACTIVE_CELL);
    if (cell && cell !== before && cell.querySelector(".cm-content")?.textContent?.trim()) return "inserted";
    if (document.querySelector(".jp-Dialog")) {
      asked = true;
      quiet = 0;
    }
  }
  return asked ? "refused" : "impossible";
}
