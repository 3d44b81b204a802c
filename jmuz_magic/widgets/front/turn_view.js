/** @import { Kind } from "./protocol.js" */
/** @import { Turn, Version } from "./transcript.js" */

import { acknowledge, iconButton, textButton } from "./buttons.js";
import { copyText } from "./clipboard.js";
import { h } from "./elements.js";
import { Growing } from "./growing.js";
import { icon } from "./icons.js";
import { PICTURE } from "./safe_html.js";
import { Versions } from "./versions.js";

/**
 * What the buttons of a turn do.
 * @typedef {object} TurnActions
 * @property {(id: string) => void} regenerate
 * @property {(id: string) => void} edit
 * @property {(id: string) => void} remove
 * @property {(id: string, version: number) => void} show
 */

/** One turn of the transcript: the prompt and its versions, the folded reasoning, the reply, and facts about it. */
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
    this.versions = new Versions((version) => this.turn && act.show(this.turn.id, version));
    this.fold = h("details", { class: "jmuz-fold" }, this.#summary(), this.reasoning.node);
    this.note = h("p", { class: "jmuz-note" });
    this.error = h("div", { class: "jmuz-error" });
    this.facts = h("span", { class: "jmuz-facts" });
    this.tools = h("span", { class: "jmuz-tools" });
    this.foot = h("div", { class: "jmuz-foot" }, this.facts, this.tools);
    const said = [hidden("Reply:"), this.fold, this.reply.node, this.note, this.error, this.foot];
    const answer = h("div", { class: "jmuz-answer" }, ...said);
    this.node = h("div", { class: "jmuz-turn" }, this.prompt, this.versions.node, answer);
  }

  /**
   * @param {Turn} turn
   * @param {boolean} last
   * @param {Version} [version]
   */
  update(turn, last, version) {
    this.versions.update(version);
    if (last !== this.isLast) this.node.classList.toggle("jmuz-last", last);
    this.isLast = last;
    if (turn === this.turn) return;
    const first = this.turn === undefined;
    this.turn = turn;
    if (first) this.prompt.replaceChildren(hidden("You:"), ...promptNodes(turn));
    this.node.dataset.state = turn.state;
    this.#showText(turn);
    if (this.note.textContent !== turn.note) this.note.textContent = turn.note;
    this.note.hidden = !turn.note;
    if (first || turn.ended) this.#showEnd(turn);
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

  /** @param {Turn} turn */
  #showEnd(turn) {
    const { id, ended, error, facts } = turn;
    const waits = turn.state === "queued";
    this.error.hidden = !error;
    this.error.replaceChildren(
      h("p", {}, error),
      textButton("Retry", () => this.act.regenerate(id)),
    );
    this.facts.textContent = facts.join(" · ");
    const remove = iconButton("close", "Remove from the queue", () => this.act.remove(id));
    this.tools.replaceChildren(...(waits ? [remove] : ended ? this.#makeTools(turn) : []));
    this.foot.hidden = !ended && !waits;
  }

  /** @param {Turn} turn */
  #makeTools({ id, error, source }) {
    const tools = [];
    if (source) tools.push(copyButton(source));
    if (!error) tools.push(iconButton("again", "Regenerate the reply", () => this.act.regenerate(id)));
    tools.push(iconButton("edit", "Edit and send again", () => this.act.edit(id)));
    tools.push(iconButton("remove", "Delete the turn", () => this.act.remove(id)));
    return tools;
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
