// The scrolled box: it follows the latest text until the reader scrolls up.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Transcript } from "../../../jmuz_magic/widgets/front/transcript.js";
import { TranscriptView } from "../../../jmuz_magic/widgets/front/transcript_view.js";
import { click, isShown, newPage, turn, turns } from "../../node/dom.mjs";

let view, page, transcript, height;

beforeEach(() => {
  page = newPage();
  transcript = new Transcript();
  view = new TranscriptView("main", { retry: () => {}, regenerate: () => {}, edit: () => {} });
  height = 1000;
  Object.defineProperties(view.log, { scrollHeight: { get: () => height }, clientHeight: { get: () => 300 } });
  page.append(view.node);
});

function show(...all) {
  transcript.take(turns(...all));
  view.update(transcript, []);
}

function scroll(to) {
  view.log.scrollTop = to;
  view.log.dispatchEvent(new window.Event("scroll"));
}

const shownTurns = () => [...view.content.querySelectorAll(".jmuz-turn:not(.jmuz-pending)")];

test("it follows what grows", () => {
  show(turn("one"));
  height = 2000;
  view.update(transcript, []);
  assert.equal(view.log.scrollTop, 2000);
});

test("a reader who scrolls up is left alone, and can jump to the latest", async () => {
  show(turn("one"));
  scroll(700);
  scroll(200);
  height = 2000;
  view.update(transcript, []);
  assert.equal(view.log.scrollTop, 200);
  await click(page, "Jump to latest");
  assert.equal(view.log.scrollTop, 2000);
  assert.equal(document.activeElement, view.log);
});

test("a wheel that begins softly stops the following at once", () => {
  show(turn("one"));
  view.log.dispatchEvent(Object.assign(new window.Event("wheel"), { deltaY: -1 }));
  height = 2000;
  view.update(transcript, []);
  assert.equal(view.log.scrollTop, 1000);
});

test("a reader who returns to the end is followed again", () => {
  show(turn("one"));
  scroll(700);
  scroll(200);
  scroll(699);
  height = 2000;
  view.update(transcript, []);
  assert.equal(view.log.scrollTop, 2000);
  assert.equal(isShown(view.latest), false);
});

test("turns stand in their order, and what is gone is gone", () => {
  show(turn("one"), turn("three"));
  const [first, third] = shownTurns();
  show(turn("one"), turn("two"), turn("three"));
  assert.deepEqual([shownTurns()[0], shownTurns()[2]], [first, third]);
  show(turn("three"));
  assert.deepEqual(shownTurns(), [third]);
  show();
  assert.deepEqual(shownTurns(), []);
  assert.equal(isShown(view.empty), true);
});
