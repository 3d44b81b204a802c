// The scrolled box: it follows the latest text until the reader scrolls up.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Transcript } from "../../../jmuz_magic/widgets/front/transcript.js";
import { TranscriptView } from "../../../jmuz_magic/widgets/front/transcript_view.js";
import { click, isShown, newPage, one, turn, turns } from "../../node/dom.mjs";

let view, page, transcript, height, shows;

beforeEach(() => {
  page = newPage();
  transcript = new Transcript();
  shows = [];
  view = new TranscriptView("main", { regenerate() {}, edit() {}, remove() {}, show: (...asked) => shows.push(asked) });
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

/** Both versions of the second turn, of which the first has more turns after it. */
const VERSIONS = [
  { ...turns(turn("one"), turn("two"), turn("three")), versions: { two: [1, 2] } },
  { ...turns(turn("one"), turn("zwei")), versions: { zwei: [2, 2] } },
];

function showVersion(number) {
  transcript.take({ ...turns(), ...VERSIONS[number - 1], sequence: turns().sequence });
  view.update(transcript, []);
}

test("another version comes where the reader looks, and its switcher has the focus", async () => {
  showVersion(1);
  scroll(700);
  one(page, "button", "Next version").focus();
  await click(page, "Next version");
  assert.deepEqual(shows, [["two", 2]]);
  Object.defineProperty(window.HTMLElement.prototype, "offsetTop", { get: () => 30, configurable: true });
  showVersion(2);
  delete window.HTMLElement.prototype.offsetTop;
  assert.equal(document.activeElement, one(page, "button", "Previous version"), "there is no next one");
  assert.equal(view.log.scrollTop, 730);
  height = 2000;
  view.update(transcript, []);
  assert.equal(view.log.scrollTop, 730, "nothing is followed");
});

test("a whole branch is not read out, a new turn is", () => {
  showVersion(1);
  assert.equal(view.log.getAttribute("aria-live"), "off");
  show(turn("one"), turn("two"), turn("three"), turn("four"));
  assert.equal(view.log.getAttribute("aria-live"), "polite");
});
