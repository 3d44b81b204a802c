import { textButton } from "./buttons.js";
import { h, uniqueId } from "./elements.js";

/** Asks before something is done; Escape says no. */
export class Confirm {
  act = () => {};

  /**
   * @param {{ yes: string, no: string }} labels
   * @param {() => void} leave What is done after a no.
   */
  constructor({ yes, no }, leave) {
    this.yes = textButton(yes, () => this.#close(this.act), { class: "jmuz-button jmuz-danger" });
    this.words = h("span", { id: uniqueId("confirm") });
    const named = { role: "alertdialog", "aria-labelledby": this.words.id };
    const buttons = [this.yes, textButton(no, () => this.#close(leave))];
    this.node = h("div", { class: "jmuz-confirm", ...named, hidden: true }, this.words, ...buttons);
    this.node.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.#close(leave);
    });
  }

  /**
   * @param {string} question
   * @param {() => void} act What is done after a yes.
   */
  open(question, act) {
    this.words.textContent = question;
    this.act = act;
    this.node.hidden = false;
    this.yes.focus();
  }

  /** @param {() => void} act */
  #close(act) {
    this.node.hidden = true;
    act();
  }
}
