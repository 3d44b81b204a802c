/** @import { Transcript, Turn, Version } from "./transcript.js" */
/** @import { TurnActions } from "./turn_view.js" */

import { iconButton } from "./buttons.js";
import { h } from "./elements.js";
import { TurnView } from "./turn_view.js";

/** @typedef {{ id: string, at: number, top: number, forward: boolean }} Switched A turn of which another version comes. */

const AT_END = 4; // px: this close to the end counts as the end

/** Turns in a scrolled box that follows the latest text until the reader scrolls up. */
export class TranscriptView {
  /** @type {Map<string, TurnView>} */
  views = new Map();
  following = true;
  top = 0;
  /** @type {Switched | undefined} */
  switched;

  /**
   * @param {string} title
   * @param {TurnActions} act
   */
  constructor(title, act) {
    /** @type {TurnActions} */
    this.act = { ...act, show: (id, version) => this.#switch(id, version, act.show) };
    this.empty = h("div", { class: "jmuz-empty" });
    this.pending = h("div", { class: "jmuz-turn jmuz-pending", hidden: true });
    this.content = h("div", { class: "jmuz-turns" }, this.empty, this.pending);
    const named = { role: "log", "aria-live": "polite", "aria-label": `Conversation ${title}`, tabindex: "0" };
    this.log = h("div", { class: "jmuz-log", ...named }, this.content);
    const looks = { class: "jmuz-icon jmuz-latest", hidden: true };
    this.latest = iconButton("latest", "Jump to latest", () => this.jump(), looks);
    this.node = h("div", { class: "jmuz-transcript-box" }, this.log, this.latest);
    this.log.addEventListener("scroll", () => this.#scrolled());
    // A wheel starts slowly: its first frames move less than a line, and following would undo them.
    this.log.addEventListener("wheel", ({ deltaY }) => this.#turned(deltaY), { passive: true });
    this.sizes = new ResizeObserver(() => this.#follow());
    this.sizes.observe(this.content);
    this.sizes.observe(this.log);
  }

  /**
   * @param {Transcript} transcript
   * @param {string[]} prompts Those that the kernel has not accepted yet.
   */
  update(transcript, prompts) {
    const turns = transcript.list;
    // Many new turns at once are those of a branch, or of a page just opened: not to be read out.
    const news = turns.filter(({ id }) => !this.views.has(id)).length;
    this.log.setAttribute("aria-live", news > 1 ? "off" : "polite");
    for (const [id, view] of this.views) if (!transcript.turns.has(id)) this.#drop(id, view);
    let before = this.empty;
    for (const turn of turns) before = this.#place(turn, turn === turns.at(-1), transcript.versions[turn.id], before);
    this.#hold(turns);
    this.pending.hidden = !prompts.length;
    if (prompts.length || this.pending.childElementCount) {
      this.pending.replaceChildren(...prompts.map((text) => h("div", { class: "jmuz-said", dir: "auto" }, text)));
    }
    this.empty.hidden = turns.length > 0 || prompts.length > 0;
    this.log.setAttribute("aria-busy", String(Boolean(transcript.running)));
    this.#follow();
  }

  jump() {
    this.following = true;
    this.#follow();
    this.log.focus({ preventScroll: true });
  }

  end() {
    this.sizes.disconnect();
  }

  /**
   * @param {Turn} turn
   * @param {boolean} last
   * @param {Version | undefined} version
   * @param {HTMLElement} before
   */
  #place(turn, last, version, before) {
    const view = this.views.get(turn.id) ?? new TurnView(this.act);
    this.views.set(turn.id, view);
    view.update(turn, last, version);
    if (before.nextSibling !== view.node) before.after(view.node);
    return view.node;
  }

  /**
   * @param {string} id
   * @param {TurnView} view
   */
  #drop(id, view) {
    view.node.remove();
    this.views.delete(id);
  }

  /**
   * Ask for another version of a turn, and note where that one is.
   * @param {string} id
   * @param {number} version
   * @param {TurnActions["show"]} show
   */
  #switch(id, version, show) {
    const view = this.views.get(id);
    if (!view) return;
    const at = [...this.content.children].indexOf(view.node) - 1; // the first child is for an empty transcript
    this.switched = { id, at, top: view.node.offsetTop, forward: version > view.versions.shown };
    show(id, version);
  }

  /**
   * Keep another version of a turn where the reader looks, with the focus on its switcher.
   * @param {Turn[]} turns
   */
  #hold(turns) {
    const { switched } = this;
    const view = switched && turns[switched.at]?.id !== switched.id && this.views.get(turns[switched.at]?.id ?? "");
    if (!switched || !view) return;
    this.switched = undefined;
    this.following = false;
    this.log.scrollTop += view.node.offsetTop - switched.top;
    view.versions.focus(switched.forward);
  }

  /** @param {number} deltaY */
  #turned(deltaY) {
    if (deltaY < 0 && this.log.scrollHeight > this.log.clientHeight) this.following = false;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.log;
    const below = scrollHeight - scrollTop - clientHeight;
    if (scrollTop > this.top && below < AT_END) this.following = true;
    // Only a reader scrolls up. Text that became shorter does so too, but then its end stays in sight.
    else if (scrollTop < this.top && below >= 1) this.following = false;
    this.top = scrollTop;
    this.latest.hidden = this.following;
  }

  #follow() {
    if (this.following) this.log.scrollTop = this.log.scrollHeight;
    else this.latest.hidden = false;
  }
}
