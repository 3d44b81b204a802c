// A list of models: searched, moved through and chosen from by keyboard and pointer.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { ModelList } from "../../../jmuz_magic/widgets/front/model_list.js";
import { allOf, isShown, newPage, one, press, write } from "../../node/dom.mjs";

const ENTRIES = [
  ["gpt-a", "default"],
  ["gpt-b", ""],
  ["llama", "alias l"],
  ["a\tb", "", "a␉b"],
];

let list, page, chosen, pointed;

function open(how = {}) {
  list = new ModelList({ choose: (id) => chosen.push(id), ...how });
  page.append(list.node);
  list.update({ entries: ENTRIES, value: "gpt-b" });
}

beforeEach(() => {
  page = newPage();
  [chosen, pointed] = [[], []];
  open();
});

const field = () => one(page, "combobox", "Model");
const rows = () => allOf(page, "option").map((row) => row.querySelector(".jmuz-model-id").textContent);
const active = () => document.getElementById(field().getAttribute("aria-activedescendant"))?.firstChild.textContent;
const count = () => page.querySelector(".jmuz-count").textContent;

test("all are listed, the one in use is marked and active", () => {
  assert.deepEqual(rows(), ["gpt-a", "gpt-b", "llama", "a␉b"]);
  assert.deepEqual(
    allOf(page, "option").map((row) => row.getAttribute("aria-selected")),
    ["false", "true", "false", "false"],
  );
  assert.deepEqual([active(), count()], ["gpt-b", "4 models"]);
  assert.equal(one(page, "listbox", "Models").id, field().getAttribute("aria-controls"));
});

test("words narrow it, in notes, too, and so does a pattern", async () => {
  await write(field(), "ALIAS l");
  assert.deepEqual([rows(), count()], [["llama"], "1 model"]);
  for (const [pattern, found] of [
    ["gpt*", ["gpt-a", "gpt-b"]],
    ["*a", ["gpt-a", "llama"]],
    ["g*-*b", ["gpt-b"]],
    ["*pt*", ["gpt-a", "gpt-b"]],
    ["gpt-a*a", []],
    ["gpt* default", ["gpt-a"]],
  ]) {
    await write(field(), pattern);
    assert.deepEqual(rows(), found, pattern);
  }
});

test("a pattern comes to its end with a hostile id, too", async () => {
  list.update({ entries: [["a".repeat(200_000), ""]], value: "" });
  await write(field(), "*a*a*a*a*a*b");
  assert.deepEqual(rows(), []);
});

test("what was typed is taken by its button or by Ctrl+Enter", async () => {
  const asTyped = () => allOf(page, "button").map((button) => button.textContent);
  assert.deepEqual(asTyped(), []);
  await write(field(), " gpt-c ");
  assert.deepEqual([rows(), count(), asTyped()], [[], "None of 4 models matches.", ["Use gpt-c as typed Ctrl+Enter"]]);
  await press("Enter", { ctrlKey: true });
  allOf(page, "button")[0].click();
  await press("Enter", { metaKey: true });
  assert.deepEqual(chosen, ["gpt-c", "gpt-c", "gpt-c"]);
});

for (const typed of ["gpt", "gpt-", "nothing like it", "l", ""]) {
  test(`no key pressed once too often makes a model of "${typed}"`, async () => {
    await write(field(), typed);
    for (const key of ["ArrowDown", "ArrowUp", "Enter", "Enter", "ArrowUp", "Enter"]) await press(key);
    for (const key of Array(9).fill("ArrowDown").concat("Enter", "ArrowDown", "Enter")) await press(key);
    assert.deepEqual(
      chosen.filter((id) => !ENTRIES.some(([known]) => known === id)),
      [],
    );
  });
}

test("Tab leads to nothing that Enter would take", async () => {
  await write(field(), "gpt");
  assert.deepEqual(
    allOf(page, "button").map((button) => button.tabIndex),
    [-1],
  );
});

test("an id that was typed whole is the active one", async () => {
  await write(field(), "gpt-a");
  assert.deepEqual([rows(), active()], [["gpt-a"], "gpt-a"]);
});

test("arrows move as far as the ends, and Enter chooses", async () => {
  field().focus();
  const seen = [];
  for (const key of ["ArrowUp", "ArrowUp", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown"]) {
    await press(key);
    seen.push(active());
  }
  assert.deepEqual(seen, ["gpt-a", "gpt-a", "gpt-b", "llama", "a␉b", "a␉b"]);
  await press("Enter");
  assert.deepEqual(chosen, ["a\tb"], "the id itself, not how it is shown");
});

test("Enter that ends a composition chooses nothing", async () => {
  field().focus();
  await press("Enter", { isComposing: true });
  assert.deepEqual(chosen, []);
});

test("of many models a hundred are rows", async () => {
  list.update({ entries: Array.from({ length: 5000 }, (_, index) => [`m${index}`, ""]), value: "" });
  assert.equal(rows().length, 100);
  assert.equal(count(), "100 of 5,000 models shown, type to narrow");
});

test("an id that was typed whole comes before a hundred that contain it", async () => {
  const longer = Array.from({ length: 300 }, (_, index) => [`gpt-4-${index}`, ""]);
  list.update({ entries: [...longer, ["gpt-4", ""]], value: "" });
  await write(field(), "gpt-4");
  assert.deepEqual([rows().length, active(), allOf(page, "button")], [100, "gpt-4", []]);
});

test("where the row has gone, Enter takes no other", async () => {
  await write(field(), "llama");
  list.update({ entries: [["llama-2", ""]], value: "gpt-b" });
  assert.deepEqual([rows(), active()], [["llama-2"], undefined]);
  await press("Enter");
  assert.deepEqual(chosen, []);
});

test("a list that is brought up to date stays at its row", async () => {
  field().focus();
  await press("ArrowDown");
  list.update({ entries: [["new", ""], ...ENTRIES], value: "gpt-b" });
  assert.equal(active(), "llama");
});

test("a click points, a double click chooses", () => {
  page.replaceChildren();
  open({ point: (id) => pointed.push(id) });
  const [, , row] = allOf(page, "option");
  row.click();
  assert.deepEqual([pointed, chosen, list.pointed], [["llama"], [], "llama"]);
  row.dispatchEvent(new window.Event("dblclick"));
  assert.deepEqual(chosen, ["llama"]);
});

test("where it folds it is there only while it is used", async () => {
  page.replaceChildren();
  open({ folds: true });
  assert.deepEqual([rows(), field().value, field().getAttribute("aria-expanded")], [[], "gpt-b", "false"]);
  field().focus();
  field().click();
  assert.deepEqual([rows().length, field().value, field().getAttribute("aria-expanded")], [4, "", "true"]);
  await write(field(), "lla");
  await press("Escape");
  assert.deepEqual([isShown(list.list), field().value, chosen], [false, "gpt-b", []]);
  field().click();
  field().blur();
  assert.equal(isShown(list.list), false);
});
