/** @import { Kind } from "./protocol.js" */
/** @import { Turn } from "./transcript.js" */

import { acknowledge, iconButton, textButton } from "./buttons.js";
import { copyText } from "./clipboard.js";
import { h } from "./elements.js";
import { Growing } from "./growing.js";
import { icon } from "./icons.js";
import { PICTURE } from "./safe_html.js";

/**
 * What the buttons of a turn do.
 * @typedef {object} TurnActions
 * @property {(id: string) => void} retry
 * @property {() => void} regenerate
 * @property {(id: string) => void} edit
 */

/** One turn of the transcript: the prompt, the folded reasoning, the reply, and facts about it. */
export class TurnView {
  /** @type {Turn | undefined} */
  turn;
  isLast = false;
  foldTouched = false;

  /** @param {TurnActions} act */
  constructor(act) {
    this.act = act;
    this.reasoning = new Growing("jmuz-markdown");
    this.reply = new Growing("jmuz-markdown");
    this.prompt = h("div", { class: "jmuz-said", dir: "auto" });
    this.fold = h("details", { class: "jmuz-fold" }, this.#summary(), this.reasoning.node);
    this.note = h("p", { class: "jmuz-note" });
    this.error = h("div", { class: "jmuz-error" });
    this.facts = h("span", { class: "jmuz-facts" });
    this.tools = h("span", { class: "jmuz-tools" });
    this.foot = h("div", { class: "jmuz-foot" }, this.facts, this.tools);
    const said = [hidden("Reply:"), this.fold, this.reply.node, this.note, this.error, this.foot];
    this.node = h("div", { class: "jmuz-turn" }, this.prompt, h("div", { class: "jmuz-answer" }, ...said));
  }

  /**
   * @param {Turn} turn
   * @param {boolean} last
   */
  update(turn, last) {
    if (turn === this.turn && last === this.isLast) return;
    const first = this.turn === undefined;
    this.turn = turn;
    this.isLast = last;
    if (first) this.prompt.replaceChildren(hidden("You:"), ...promptNodes(turn));
    this.node.dataset.state = turn.state;
    this.node.classList.toggle("jmuz-last", last);
    this.#showText(turn);
    if (this.note.textContent !== turn.note) this.note.textContent = turn.note;
    this.note.hidden = !turn.note;
    if (first || turn.ended) this.#showEnd(turn, last);
  }

  #summary() {
    const summary = h("summary", {}, "Reasoning");
    summary.addEventListener("click", () => (this.foldTouched = true));
    return summary;
  }

  /** @param {Turn} turn */
  #showText({ parts, open, ended }) {
    /** @param {Kind} kind */
    const html = (kind) => parts.filter((part) => part[0] === kind).map((part) => part[1]);
    const [reasoning, reply] = [html("reasoning"), html("text")];
    this.reasoning.update(reasoning, open.reasoning);
    this.reply.update(reply, open.text);
    const thinking = !ended && !reply.length && !open.text;
    this.fold.hidden = !reasoning.length && !open.reasoning;
    if (!this.foldTouched && this.fold.open !== thinking) this.fold.open = thinking;
  }

  /**
   * @param {Turn} turn
   * @param {boolean} last
   */
  #showEnd({ id, ended, error, facts, source }, last) {
    this.error.hidden = !error;
    this.error.replaceChildren(
      h("p", {}, error),
      textButton("Retry", () => this.act.retry(id)),
    );
    this.facts.textContent = facts.join(" · ");
    const tools = [];
    if (source) tools.push(copyButton(source));
    if (ended && last && !error) tools.push(iconButton("again", "Regenerate the reply", () => this.act.regenerate()));
    if (ended && last) tools.push(iconButton("edit", "Edit and send again", () => this.act.edit(id)));
    this.tools.replaceChildren(...tools);
    this.foot.hidden = !ended;
  }
}

/** @param {string} source */
function copyButton(source) {
  const copy = iconButton("copy", "Copy the reply", async () => {
    if (await copyText(source)) acknowledge(copy, "Copied");
  });
  return copy;
}

/**
 * Text for screen readers; it has a direction of its own, so as not to decide that of the text beside it.
 * @param {string} text
 */
function hidden(text) {
  return h("span", { class: "jmuz-offscreen", dir: "ltr" }, text);
}

/**
 * The prompt as it was written; if something else was sent, that can be opened.
 * @param {Turn} turn
 */
function promptNodes({ prompt, typed, images }) {
  const pictures = images.map(({ label, data }) =>
    PICTURE.test(data)
      ? h("img", { class: "jmuz-picture", src: data, alt: label })
      : h("span", { class: "jmuz-chip" }, icon("file"), label),
  );
  const box = pictures.length > 0 && h("div", { class: "jmuz-pictures" }, ...pictures);
  return [box, typed || prompt, Boolean(typed) && sentFold(prompt)].filter((node) => node !== false);
}

/** @param {string} prompt */
function sentFold(prompt) {
  const named = { tabindex: "0", role: "region", "aria-label": "What was sent" };
  return h("details", { class: "jmuz-sent" }, h("summary", {}, "What was sent"), h("div", named, prompt));
}
