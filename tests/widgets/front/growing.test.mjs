// Blocks that only grow: what is placed once stays the same element.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Growing } from "../../../jmuz_magic/widgets/front/growing.js";
import { newPage } from "../../node/dom.mjs";

let blocks;

beforeEach(() => {
  blocks = new Growing("jmuz-markdown");
  newPage().append(blocks.node);
});

const parts = (count) => Array.from({ length: count }, (_, index) => `<p>${index}</p>`);
const nodes = () => [...blocks.node.querySelectorAll(".jmuz-run > .jmuz-part")];

test("finished blocks are placed once", () => {
  blocks.update(parts(2), "<p>op");
  const before = nodes();
  blocks.update(parts(3), "<p>open");
  assert.deepEqual(nodes().slice(0, 2), before);
  assert.equal(blocks.node.textContent, "012open");
});

test("blocks that were made anew replace theirs and what follows", () => {
  blocks.update(parts(3), "");
  const [first] = nodes();
  blocks.update(["<p>0</p>", "<p>new</p>"], "");
  assert.equal(blocks.node.textContent, "0new");
  assert.equal(nodes()[0], first);
});

test("sixteen blocks are a run, and a run without blocks is gone", () => {
  blocks.update(parts(40), "");
  assert.deepEqual(
    [...blocks.node.querySelectorAll(".jmuz-run")].map((run) => run.childElementCount),
    [16, 16, 8],
  );
  blocks.update(parts(3), "");
  assert.equal(blocks.node.querySelectorAll(".jmuz-run").length, 1);
});

test("what is still written is not read aloud", () => {
  assert.equal(blocks.open.getAttribute("aria-live"), "off");
});
