/** @import { Answer, ListModels, ModelEntry, SetSettings, Settings } from "./protocol.js" */

import { iconButton } from "./buttons.js";
import { h, uniqueId } from "./elements.js";
import { ModelList } from "./model_list.js";
import { Progress } from "./progress.js";

const DEFAULT = "The endpoint's own";

/** @typedef {"system" | "temperature" | "max_tokens"} Field */
/** @typedef {HTMLInputElement | HTMLTextAreaElement} Control */

/** The settings beside the transcript: model, system message and options. */
export class Drawer {
  /** @type {Settings | undefined} */
  settings;
  /** @type {ModelEntry[] | undefined} */
  entries;

  /**
   * @param {(operation: ListModels | SetSettings) => Promise<Answer>} send
   * @param {() => void} onclose
   */
  constructor(send, onclose) {
    this.send = send;
    this.models = new ModelList({ choose: (model) => this.#change({ model }), folds: true });
    this.refresh = iconButton("again", "Ask the endpoint for its models", () => this.#refresh());
    /** @type {Record<Field, Control>} */
    this.fields = {
      system: this.#field("textarea", "system", { rows: 4, placeholder: "None" }),
      temperature: this.#field("input", "temperature", { type: "number", step: "any", placeholder: DEFAULT }),
      max_tokens: this.#field("input", "max_tokens", { type: "number", min: 1, step: 1, placeholder: DEFAULT }),
    };
    this.progress = new Progress();
    this.where = h("p", { class: "jmuz-help" });
    this.problem = h("p", { class: "jmuz-problem", role: "alert" });
    const choice = h("div", { class: "jmuz-row" }, this.models.node, this.refresh);
    const close = iconButton("close", "Close the settings", onclose);
    this.node = h(
      "div",
      { class: "jmuz-drawer", role: "dialog", "aria-label": "Settings", hidden: true },
      h("div", { class: "jmuz-drawer-head" }, h("strong", {}, "Settings"), close),
      labelled("Model", this.models.field, choice, this.progress.node, this.where),
      labelled("System message", this.fields.system),
      labelled("Temperature", this.fields.temperature),
      labelled("Max tokens", this.fields.max_tokens),
      this.problem,
    );
  }

  /** @param {Settings} settings */
  update(settings) {
    if (settings !== this.settings) this.#show(settings);
    for (const [name, field] of Object.entries(this.fields)) {
      if (document.activeElement !== field) field.value = String(settings[/** @type {Field} */ (name)] ?? "");
    }
  }

  async open() {
    this.node.hidden = false;
    this.models.field.focus();
    if (!this.entries) await this.#list(false);
  }

  /** @param {Settings} settings */
  #show(settings) {
    this.settings = settings;
    this.#showModels();
    const whose = settings.shared ? "%%jmuz cells use this model, too." : "Only this conversation uses this model.";
    this.where.textContent = `${settings.endpoint}. ${whose}`;
  }

  #showModels() {
    this.models.update({ entries: this.entries ?? NO_ENTRIES, value: this.settings?.model ?? "" });
  }

  /** @param {boolean} refresh */
  async #list(refresh) {
    this.progress.show("Waiting for the list of models…");
    const { entries, error } = await this.send({ op: "models", refresh });
    this.progress.show("");
    if (entries) this.entries = entries;
    this.problem.textContent = error ?? "";
    this.#showModels();
  }

  async #refresh() {
    this.refresh.disabled = true;
    await this.#list(true);
    this.refresh.disabled = false;
  }

  /** @param {Omit<SetSettings, "op">} change */
  async #change(change) {
    const { error } = await this.send({ op: "set", ...change });
    this.problem.textContent = error ?? "";
  }

  /**
   * @param {"input" | "textarea"} tag
   * @param {Field} name
   * @param {Record<string, unknown>} attributes
   * @returns {Control}
   */
  #field(tag, name, attributes) {
    const field = h(tag, { class: "jmuz-field", ...attributes });
    field.addEventListener("change", () => {
      if (field.validity.valid) this.#change({ [name]: field.value });
      else this.problem.textContent = field.validationMessage;
    });
    return field;
  }
}

/** @type {ModelEntry[]} */
const NO_ENTRIES = [];

/**
 * @param {string} words
 * @param {HTMLElement} control
 * @param {...HTMLElement} shown What to show, if more than the control.
 */
function labelled(words, control, ...shown) {
  control.id = uniqueId("field");
  const label = h("label", { for: control.id }, words);
  return h("div", { class: "jmuz-setting" }, label, ...(shown.length ? shown : [control]));
}
