// Code becomes a cell: by the front end's own command, or on the clipboard, or not at all.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { insertCell } from "../../../jmuz_magic/widgets/front/cells.js";
import * as dom from "../../node/dom.mjs";

const { copied, passed } = dom;
const PANEL =
  '<div class="jmuz-panel"><button tabindex="-1" hidden></button><div role="log" tabindex="0"></div><button>Insert</button></div>';
const CELL = '<div class="jp-Cell jp-mod-active"><i class="cm-content">a</i></div>';
const COPIED = "No cell can be inserted from here; the code is on the clipboard.";

let page, commands, inserted, answer;

beforeEach(() => {
  page = dom.newPage();
  commands = [];
  inserted = 0;
  answer = () => {};
  page.addEventListener("click", heed);
});
afterEach(() => page.removeEventListener("click", heed));

/** A front end that runs commands. */
function heed({ target }) {
  const { commandlinkerCommand, commandlinkerArgs } = target.dataset;
  if (!commandlinkerCommand) return;
  commands.push([commandlinkerCommand, JSON.parse(commandlinkerArgs), target.closest(".jp-Notebook") !== null]);
  answer();
}

function addCell() {
  page.querySelector(".jp-mod-active").classList.remove("jp-mod-active");
  page.querySelector(".jp-Notebook").insertAdjacentHTML("beforeend", CELL);
}

function ask() {
  page.insertAdjacentHTML("beforeend", '<div class="jp-Dialog"></div>');
}

const reply = () => page.querySelector(".jp-Dialog").remove();
const notebook = (panel = PANEL) => `<div class="jp-Notebook"><div class="jp-Cell jp-mod-active">${panel}</div></div>`;

/** Click the button of a view, the first in the page by default; what is said about it. */
async function insert(first = 0) {
  const panels = [...page.querySelectorAll(".jmuz-panel")];
  panels[first].querySelector("button:not([hidden])").focus();
  const done = insertCell({ code: "a", inserted: () => (inserted += 1) }, [panels[first], ...panels]);
  let said;
  done.then((words) => (said = words));
  const end = () => said;
  await passed(30);
  return end;
}

test("a cell is inserted by one command, which an element inside the panel names", async () => {
  page.innerHTML = notebook();
  answer = addCell;
  const said = await insert();
  const parameters = {
    commands: ["notebook:insert-cell-below", "notebook:replace-selection"],
    args: { text: "a" },
    errorIfNotEnabled: true,
  };
  assert.deepEqual(commands, [["apputils:run-all-enabled", parameters, true]]);
  assert.deepEqual([said(), inserted, copied], ["Inserted below as a new cell; it was not run.", 1, []]);
  assert.equal(page.querySelector("[data-commandlinker-command]"), null);
});

test("an answer of the user is waited for, and what is allowed after two questions is inserted", async () => {
  page.innerHTML = notebook();
  answer = ask;
  const said = await insert();
  for (let time = 0; time < 200; time += 1) await passed(25);
  reply();
  await passed(25);
  ask();
  for (let time = 0; time < 200; time += 1) await passed(25);
  assert.equal(said(), undefined);
  reply();
  addCell();
  await passed(25);
  assert.deepEqual([said(), inserted, commands.length], ["Inserted below as a new cell; it was not run.", 1, 1]);
});

test("a refusal leaves the clipboard alone", async () => {
  page.innerHTML = notebook();
  answer = ask;
  const said = await insert();
  reply();
  for (let time = 0; time < 45; time += 1) await passed(25);
  assert.deepEqual([said(), inserted, copied], ["Nothing inserted.", 0, []]);
});

test("where no command answers, code is copied, and that is said", async () => {
  page.innerHTML = notebook();
  const said = await insert();
  for (let time = 0; time < 45; time += 1) await passed(25);
  assert.deepEqual([said(), inserted, copied], [COPIED, 0, ["a"]]);
});

test("outside a notebook code is copied", async () => {
  page.innerHTML = PANEL;
  const said = await insert();
  assert.deepEqual([said(), commands, copied], [COPIED, [], ["a"]]);
});

test("another view inserts from the panel in the notebook, whose cell gets the focus and so is the active one", async () => {
  page.innerHTML = notebook() + PANEL;
  answer = () => {
    assert.equal(document.activeElement, page.querySelector(".jp-Notebook [role=log]"));
    addCell();
  };
  const said = await insert(1);
  assert.deepEqual(
    [said(), commands.map(([, , inside]) => inside), copied],
    ["Inserted below as a new cell; it was not run.", [true], []],
  );
});

test("another view copies where the notebook's panel cannot have the focus, being hidden", async () => {
  page.innerHTML = notebook(PANEL.replace(' tabindex="0"', "")) + PANEL;
  const said = await insert(1);
  assert.deepEqual([said(), commands, copied], [COPIED, [], ["a"]]);
});
