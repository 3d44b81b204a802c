// The model selector: what it shows of its state, and what the kernel is asked.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import * as dom from "../../node/dom.mjs";

// The script as it is sent, where a test of the kernel's side has joined it.
const { JMUZ_SCRIPTS } = process.env;
const { default: selector } = await import(
  JMUZ_SCRIPTS ? `${JMUZ_SCRIPTS}/selector.mjs` : "../../../jmuz_magic/widgets/front/selector.js"
);
const { click, Kernel, one, passed, press, settled, write } = dom;
const STATE = {
  providers: [
    ["", "In use: Demo"],
    ["ollama", "Ollama"],
  ],
  provider: "",
  entries: [
    ["gpt-a", "default"],
    ["<b>gpt</b>", ""],
  ],
  model: "gpt-a",
  using: "gpt-a, Demo",
  hint: "",
  problem: "",
  asking: "",
  pattern: "",
};
const OPERATIONS = { provider: "a provider", refresh: "refresh", use: "your choice" };

let kernel, view, el;

async function show(state = {}) {
  kernel = new Kernel({ about: { operations: OPERATIONS }, state: { ...STATE, ...state } });
  view = dom.shown(selector, kernel);
  el = view.el;
  await settled();
}

beforeEach(async () => {
  dom.newPage();
  await show();
});
afterEach(() => view.end());

const use = () => one(el, "button", "Use in this notebook");
const now = () => el.querySelector(".jmuz-now").textContent;
const advice = () => el.querySelector(".jmuz-advice").textContent;
const progress = () => el.querySelector(".jmuz-progress");
const rows = () => dom.allOf(el, "option").map((row) => row.firstChild.textContent);

test("it shows what is in use, and ids as text", () => {
  assert.equal(now(), "In use in this notebook: gpt-a, Demo");
  assert.deepEqual(rows(), ["gpt-a", "<b>gpt</b>"]);
  assert.equal(el.querySelector("b"), null);
});

test("another model is put to use by the button, or by Enter", async () => {
  assert.equal(use().disabled, true, "it is in use");
  await click(el, "<b>gpt</b>", "option");
  assert.equal(use().disabled, false);
  await click(el, "Use in this notebook");
  assert.equal(kernel.asked("use").model, "<b>gpt</b>");
  await write(one(el, "combobox", "Model"), "gpt-a");
  await press("Enter");
  assert.equal(kernel.asked("use").model, "gpt-a");
});

test("a provider is chosen by name", async () => {
  const providers = one(el, "combobox", "Provider");
  providers.value = "ollama";
  providers.dispatchEvent(new window.Event("change"));
  assert.equal(kernel.asked("provider").name, "ollama");
});

test("a refresh shows whom it asks and for how long, and no busy kernel", async () => {
  await click(el, "Refresh");
  const { request } = kernel.asked("refresh");
  await kernel.say({ type: "taken", request });
  await kernel.change({ state: { ...STATE, hint: "press Refresh", asking: "http://x" } });
  assert.deepEqual([el.getAttribute("aria-busy"), one(el, "button", "Refresh").disabled, advice()], ["true", true, ""]);
  const seen = [];
  for (const time of [200, 300, 2600]) {
    await passed(time);
    seen.push(dom.isShown(progress()) && progress().textContent);
  }
  assert.deepEqual(seen, [false, "Asking http://x for its models…", "Asking http://x for its models… 3 s"]);
  assert.equal(one(el, "status").textContent, "");
  await kernel.answer("refresh");
  await kernel.change({ state: STATE });
  assert.deepEqual([dom.isShown(progress()), one(el, "button", "Refresh").disabled], [false, false]);
});

test("it says what to do if no model is listed", async () => {
  await kernel.change({ state: { ...STATE, entries: [], hint: "press Refresh" } });
  assert.deepEqual([advice(), dom.allOf(el, "listbox")], ["press Refresh", []]);
});

test("choosing a provider stays possible while the list of them is the same", async () => {
  const before = one(el, "combobox", "Provider").firstChild;
  await kernel.change({ state: { ...STATE, providers: structuredClone(STATE.providers) } });
  assert.equal(one(el, "combobox", "Provider").firstChild, before);
});

test("a problem is told", async () => {
  await kernel.change({ state: { ...STATE, problem: "no answer" } });
  assert.equal(one(el, "alert").textContent, "no answer");
});

test("why a choice is refused is told until the next one", async () => {
  await click(el, "<b>gpt</b>", "option");
  await click(el, "Use in this notebook");
  await kernel.answer("use", { error: "no key" });
  assert.equal(one(el, "alert").textContent, "no key");
  await click(el, "Use in this notebook");
  await kernel.answer("use");
  assert.equal(one(el, "alert").textContent, "");
});

test("without anything in use it says so", async () => {
  await kernel.change({ state: { ...STATE, using: "" } });
  assert.equal(now(), "Nothing is in use in this notebook yet; choose a model.");
  assert.equal(one(el, "button", "Refresh").disabled, true, "there is nobody to ask");
});

test("it opens with the pattern that was given", async () => {
  view.end();
  dom.newPage();
  await show({ pattern: "gpt-a" });
  assert.deepEqual(rows(), ["gpt-a"]);
});

test("a busy kernel and a lost answer", async () => {
  await click(el, "Refresh");
  await passed(600);
  assert.equal(one(el, "status").textContent, "Kernel busy. Queued: refresh.");
  await passed(5000);
  const { request } = kernel.asked("refresh");
  assert.deepEqual(kernel.asked("resync").waiting, [request]);
  await kernel.say({ answered: { [request]: {} } });
  assert.equal(one(el, "status").textContent, "");
});

test("without a kernel nothing can be chosen", async () => {
  await kernel.die();
  assert.equal(one(el, "status").textContent, "The kernel is gone. Run the cell again to choose.");
  assert.equal(use().disabled, true);
});

test("the output area is marked while it is there, so that the plain list is hidden", () => {
  const area = document.createElement("div");
  area.className = "jp-OutputArea";
  document.body.append(area);
  const other = document.createElement("div");
  area.append(other);
  const leave = view.render(other);
  assert.equal(area.className, "jp-OutputArea jmuz-live-selector");
  leave();
  assert.equal(area.className, "jp-OutputArea");
});

test("keys stay in it", async () => {
  const heard = [];
  const hear = ({ key }) => heard.push(key);
  document.addEventListener("keydown", hear);
  one(el, "combobox", "Model").focus();
  await press("a");
  document.removeEventListener("keydown", hear);
  assert.deepEqual(heard, []);
});
