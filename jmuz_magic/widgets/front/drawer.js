/** @import { Answer, ListModels, ModelEntry, SetSettings, Settings } from "./protocol.js" */

import { iconButton } from "./buttons.js";
import { h } from "./elements.js";
import { ModelList } from "./model_list.js";
import { Progress } from "./progress.js";
import { Setting } from "./setting.js";

const DEFAULT = "The endpoint's own";
const OF_CELLS = ["", "The one that cells ask"];

/** @typedef {"provider" | "model" | "system" | "temperature" | "max_tokens"} Name */
/** @typedef {HTMLInputElement | HTMLTextAreaElement} Field */

/**
 * What the settings need from their panel.
 * @typedef {object} DrawerActions
 * @property {(operation: ListModels | SetSettings) => Promise<Answer>} send
 * @property {() => void} close
 * @property {(words: string) => void} say
 */

/** The settings beside the chat: provider, model, system message and options. */
export class Drawer {
  /** @type {Settings | undefined} */
  shown;
  /** @type {ModelEntry[] | undefined} */
  entries;
  /** @type {string[][]} */
  providers = [];

  /** @param {DrawerActions} act */
  constructor(act) {
    this.act = act;
    this.provider = h("select", { class: "jmuz-field", onchange: () => this.#change("provider", this.provider.value) });
    this.models = new ModelList({ choose: (model) => this.#change("model", model), folds: true });
    this.refresh = iconButton("again", "Ask the endpoint for its models", () => this.#refresh());
    /** @type {Partial<Record<Name, Field>>} */
    this.fields = {
      system: this.#field("textarea", "system", { rows: 4, placeholder: "None" }),
      temperature: this.#field("input", "temperature", { type: "number", step: "any", placeholder: DEFAULT }),
      max_tokens: this.#field("input", "max_tokens", { type: "number", min: 1, step: 1, placeholder: DEFAULT }),
    };
    this.progress = new Progress();
    this.where = h("p", { class: "jmuz-help" });
    this.settings = this.#makeSettings();
    const close = iconButton("close", "Close the settings", act.close);
    const head = h("div", { class: "jmuz-drawer-head" }, h("strong", {}, "Settings"), close);
    const named = { class: "jmuz-drawer", role: "region", "aria-label": "Settings", hidden: true };
    this.node = h("div", named, head, ...Object.values(this.settings).map(({ node }) => node));
    this.node.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation(); // else it would stop the reply
      act.close();
    });
  }

  /** @param {Settings} settings */
  update(settings) {
    if (settings !== this.shown) this.#show(settings);
    for (const [name, field] of Object.entries(this.fields)) {
      if (document.activeElement !== field) field.value = String(settings[/** @type {Name} */ (name)] ?? "");
    }
  }

  async open() {
    this.node.hidden = false;
    this.models.field.focus();
    if (!this.entries) await this.#list(false);
  }

  /** @returns {Record<Name, Setting>} */
  #makeSettings() {
    const { system, temperature, max_tokens } = /** @type {Record<Name, Field>} */ (this.fields);
    const choice = h("div", { class: "jmuz-row" }, this.models.node, this.refresh);
    return {
      provider: new Setting("Provider", this.provider),
      model: new Setting("Model", this.models.field, choice, this.progress.node, this.where),
      system: new Setting("System message", system),
      temperature: new Setting("Temperature", temperature),
      max_tokens: new Setting("Max tokens", max_tokens),
    };
  }

  /** @param {Settings} settings */
  #show(settings) {
    // The list of another endpoint is asked for by the button, or when the settings are opened again.
    if (settings.endpoint !== this.shown?.endpoint) this.entries = undefined;
    this.shown = settings;
    this.#showProviders();
    this.#showModels();
    const whose = settings.shared ? "%%jmuz cells use this model, too." : "Only this conversation uses this model.";
    this.where.textContent = `${settings.endpoint}. ${whose}`;
  }

  #showProviders() {
    const { provider = "", endpoint = "" } = this.shown ?? {};
    const known = [OF_CELLS, ...this.providers];
    const all = known.some(([name]) => name === provider) ? known : [...known, [provider, endpoint]];
    this.provider.replaceChildren(...all.map(([name, label]) => h("option", { value: name }, label)));
    this.provider.value = provider;
  }

  #showModels() {
    this.models.update({ entries: this.entries ?? NO_ENTRIES, value: this.shown?.model ?? "" });
  }

  /** @param {boolean} refresh */
  async #list(refresh) {
    this.progress.show("Waiting for the list of models…");
    const { entries, error, providers } = await this.act.send({ op: "models", refresh });
    this.progress.show("");
    if (entries) this.entries = entries;
    if (providers) this.providers = providers;
    this.settings.model.complain(error);
    this.#showProviders();
    this.#showModels();
  }

  async #refresh() {
    this.refresh.disabled = true;
    await this.#list(true);
    this.refresh.disabled = false;
  }

  /**
   * @param {Name} name
   * @param {string} value
   */
  async #change(name, value) {
    const { error, note } = await this.act.send({ op: "set", [name]: value });
    this.settings[name].complain(error);
    if (error) this.#showProviders(); // what is in force
    if (note) this.act.say(note);
  }

  /**
   * @param {"input" | "textarea"} tag
   * @param {Name} name
   * @param {Record<string, unknown>} attributes
   * @returns {Field}
   */
  #field(tag, name, attributes) {
    const field = h(tag, { class: "jmuz-field", ...attributes });
    field.addEventListener("change", () => {
      if (field.validity.valid) this.#change(name, field.value);
      else this.settings[name].complain(field.validationMessage);
    });
    return field;
  }
}

/** @type {ModelEntry[]} */
const NO_ENTRIES = [];
