import { textButton } from "./buttons.js";
import { h, uniqueId } from "./elements.js";

/** Asks before all turns are cleared; Escape keeps them. */
export class Confirm {
  /** @param {{ clear: () => void, keep: () => void }} act */
  constructor({ clear, keep }) {
    this.clear = textButton("Clear", () => this.#close(clear), { class: "jmuz-button jmuz-danger" });
    const keepButton = textButton("Keep", () => this.#close(keep));
    const words = h("span", { id: uniqueId("confirm") }, "Clear the whole conversation?");
    const named = { role: "alertdialog", "aria-labelledby": words.id };
    this.node = h("div", { class: "jmuz-confirm", ...named, hidden: true }, words, this.clear, keepButton);
    this.node.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") this.#close(keep);
    });
  }

  open() {
    this.node.hidden = false;
    this.clear.focus();
  }

  /** @param {() => void} act */
  #close(act) {
    this.node.hidden = true;
    act();
  }
}
