/** @import { Version } from "./transcript.js" */

import { iconButton } from "./buttons.js";
import { h } from "./elements.js";

/** The switcher on a turn at which branches part: which version is shown, of how many. */
export class Versions {
  /** @param {(version: number) => void} show */
  constructor(show) {
    this.shown = 1;
    this.count = 1;
    this.back = iconButton("back", "Previous version", () => show(this.shown - 1));
    this.forward = iconButton("forward", "Next version", () => show(this.shown + 1));
    this.words = h("span", { "aria-hidden": "true" });
    this.node = h("div", { class: "jmuz-versions", role: "group", hidden: true }, this.back, this.words, this.forward);
  }

  /** @param {Version} [version] */
  update([shown, count] = [1, 1]) {
    if (shown === this.shown && count === this.count) return;
    this.shown = shown;
    this.count = count;
    this.node.hidden = count === 1;
    this.node.setAttribute("aria-label", `Version ${shown} of ${count}`);
    this.words.textContent = `${shown}/${count}`;
    this.back.disabled = shown === 1;
    this.forward.disabled = shown === count;
  }

  /** Take the focus as the same switcher of another version had it. @param {boolean} forward */
  focus(forward) {
    const [wanted, other] = forward ? [this.forward, this.back] : [this.back, this.forward];
    (wanted.disabled ? other : wanted).focus({ preventScroll: true });
  }
}
