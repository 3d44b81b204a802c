import { h, uniqueId } from "./elements.js";

/** A control with its name, and a line that says what is wrong with it. */
export class Setting {
  /**
   * @param {string} name
   * @param {HTMLElement} control
   * @param {...HTMLElement} shown What to show, if more than the control.
   */
  constructor(name, control, ...shown) {
    this.name = name;
    this.control = control;
    control.id = uniqueId("field");
    this.problem = h("p", { class: "jmuz-problem", id: uniqueId("problem"), role: "alert" });
    const label = h("label", { for: control.id }, name);
    this.node = h("div", { class: "jmuz-setting" }, label, ...(shown.length ? shown : [control]), this.problem);
  }

  /** @param {string} [error] What is wrong; nothing if all is well. */
  complain(error) {
    this.problem.textContent = error ? `${this.name}: ${error}` : "";
    for (const [name, value] of [
      ["aria-invalid", "true"],
      ["aria-describedby", this.problem.id],
    ]) {
      if (error) this.control.setAttribute(name, value);
      else this.control.removeAttribute(name);
    }
  }
}
