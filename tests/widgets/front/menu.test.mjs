// The menu by keyboard.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Menu } from "../../../jmuz_magic/widgets/front/menu.js";
import { click, isShown, nameOf, newPage, press } from "../../node/dom.mjs";

let menu, page, ran;

beforeEach(() => {
  page = newPage();
  ran = [];
  menu = new Menu(
    "Conversation",
    ["Undo", "Export", "Clear"].map((label) => ({ label, run: () => ran.push(label) })),
  );
  page.append(menu.node);
});

const focused = () => nameOf(document.activeElement);

test("arrows move through what can be chosen, and around", async () => {
  menu.items[0].disabled = true;
  await click(page, "Conversation");
  assert.equal(menu.button.getAttribute("aria-expanded"), "true");
  const seen = [focused()];
  for (const key of ["ArrowDown", "ArrowDown", "ArrowUp", "Home", "End"]) {
    await press(key);
    seen.push(focused());
  }
  assert.deepEqual(seen, ["Export", "Clear", "Export", "Clear", "Export", "Clear"]);
});

test("an arrow opens it", async () => {
  menu.button.focus();
  await press("ArrowDown");
  assert.equal(focused(), "Undo");
});

test("an item runs once and closes it", async () => {
  await click(page, "Conversation");
  await click(page, "Export", "menuitem");
  assert.deepEqual([ran, isShown(menu.list), focused()], [["Export"], false, "Conversation"]);
});

test("Escape closes it and returns", async () => {
  await click(page, "Conversation");
  await press("Escape");
  assert.deepEqual([isShown(menu.list), focused(), ran], [false, "Conversation", []]);
});

test("it closes when the focus leaves", async () => {
  await click(page, "Conversation");
  document.activeElement.blur();
  assert.equal(isShown(menu.list), false);
});
