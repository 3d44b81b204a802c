// The front end's side of the protocol, run by node: what messages make of a transcript.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Transcript } from "../../../jmuz_magic/widgets/front/transcript.js";

const turn = (id, parts = [], ended = false) => ({
  id,
  parts,
  open: { reasoning: "", text: "" },
  ended,
  state: ended ? "complete" : "streaming",
});

/** Messages as a kernel sends them: two turns of many parts, each ended by a keyframe. */
function conversation(sizes = [12, 7]) {
  const messages = [];
  const order = [];
  let version = 0;
  const send = (message) => messages.push({ sequence: messages.length + 1, version, ...message });
  sizes.forEach((size, index) => {
    const id = `turn-${index + 1}`;
    order.push(id);
    version += 1;
    send({ type: "turns", order: [...order], turns: [turn(id)] });
    for (let from = 0; from < size; from += 1) {
      const open = { reasoning: "", text: `<p>open ${from}</p>` };
      send({
        type: "part",
        turn: id,
        from,
        parts: [["text", `<p>${id}, ${from}</p>`]],
        open,
        note: "",
        state: "streaming",
      });
    }
    const parts = Array.from({ length: size }, (_, from) => ["text", `<p>${id}, ${from}</p>`]);
    send({ type: "turns", order: [...order], turns: [turn(id, parts, true)] });
  });
  return messages;
}

function play(messages) {
  const transcript = new Transcript();
  for (const message of messages) transcript.take(message);
  return transcript;
}

const whole = play(conversation()).list;

// A small generator, so that a failing case can be run again.
function random(seed) {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

test("messages in order build the transcript", () => {
  assert.deepEqual(
    whole.map(({ parts }) => parts.length),
    [12, 7],
  );
  assert.ok(whole.every(({ ended }) => ended));
});

test("every third message lost: the keyframes make it whole", () => {
  const messages = conversation();
  const keyframes = messages.filter(({ turns }) => turns?.[0].ended);
  const transcript = play(messages.filter((message, index) => index % 3 || keyframes.includes(message)));
  assert.deepEqual(transcript.list, whole);
});

test("doubled and reordered messages, in a thousand ways, end as the same transcript", () => {
  for (let seed = 1; seed <= 1000; seed += 1) {
    const next = random(seed);
    const messages = conversation();
    const last = messages.pop();
    const mixed = [...messages, ...messages.filter(() => next() < 0.3)].map((message) => [
      message.sequence + next() * 4,
      message,
    ]);
    mixed.sort(([one], [other]) => one - other);
    const late = messages.filter(() => next() < 0.2);
    const transcript = play([...mixed.map(([, message]) => message), last, ...late]);
    assert.deepEqual(transcript.list.at(-1), whole.at(-1), `seed ${seed}`);
  }
});

test("a part behind a gap is not taken, and what is missing brings the view up to date", () => {
  const [start, ...parts] = conversation([5]);
  const transcript = play([start, parts[0], parts[3]]);
  assert.equal(transcript.missed, true);
  assert.deepEqual(transcript.known, { "turn-1": 1 });
  const rest = {
    ...turn(
      "turn-1",
      [1, 2, 3, 4].map((from) => ["text", `<p>turn-1, ${from}</p>`]),
    ),
    from: 1,
  };
  assert.ok(transcript.take({ type: "turns", sequence: 99, version: 1, order: ["turn-1"], turns: [rest] }));
  assert.equal(transcript.missed, false);
  assert.deepEqual(
    transcript.list.at(-1).parts.map(([, html]) => html),
    [0, 1, 2, 3, 4].map((from) => `<p>turn-1, ${from}</p>`),
  );
});

test("an order that names an unknown turn is not taken", () => {
  const transcript = play(conversation([2]));
  const before = transcript.order;
  assert.equal(
    transcript.take({ type: "turns", sequence: 99, version: 9, order: ["turn-1", "turn-7"], turns: [] }),
    false,
  );
  assert.deepEqual([transcript.order, transcript.missed], [before, true]);
});

test("a cleared transcript is empty, and late parts of a turn that is gone are not taken", () => {
  const transcript = play(conversation([2]));
  transcript.take({ type: "turns", sequence: 50, version: 2, order: [], turns: [] });
  transcript.take({
    type: "part",
    sequence: 51,
    version: 1,
    turn: "turn-1",
    from: 2,
    parts: [],
    open: {},
    note: "",
    state: "streaming",
  });
  assert.deepEqual(transcript.list, []);
});

test("a snapshot is what a page opened later starts from", () => {
  const transcript = play(conversation());
  const later = play([JSON.parse(JSON.stringify(transcript.snapshot))]);
  assert.deepEqual(later.list, whole);
  assert.equal(later.take(conversation()[3]), false);
});
