/** @import { SelectorOperation, SelectorState } from "./protocol.js" */

import { textButton } from "./buttons.js";
import { h } from "./elements.js";
import { Link } from "./link.js";
import { Mark } from "./mark.js";
import { ModelList } from "./model_list.js";
import { Progress } from "./progress.js";
import { widget } from "./widget.js";

/** The model selector: providers, a searchable list of models, and the button that puts one to use. */
class SelectorView {
  frame = 0;
  refusal = ""; // of the last operation
  shownProviders = "";

  /**
   * @param {Link} link
   * @param {HTMLElement} el
   */
  constructor(link, el) {
    this.link = link;
    this.el = el;
    this.models = new ModelList({ choose: (model) => this.#use(model), point: () => this.models.field.focus() });
    this.models.onmove = () => this.redraw();
    const primary = { class: "jmuz-button jmuz-primary" };
    this.use = textButton("Use in this notebook", () => this.#use(this.models.pointed), primary);
    const onchange = () => this.#do({ op: "provider", name: this.provider.value });
    this.provider = h("select", { class: "jmuz-field", "aria-label": "Provider", onchange });
    const about = { class: "jmuz-button jmuz-refresh", title: "Ask the endpoint for its models" };
    this.refresh = textButton("Refresh", () => this.#do({ op: "refresh" }), about);
    this.hint = h("p", { class: "jmuz-advice" });
    this.progress = new Progress();
    this.now = h("p", { class: "jmuz-now" });
    this.problem = h("p", { class: "jmuz-problem", role: "alert" });
    this.status = h("div", { class: "jmuz-status", role: "status" });
    this.mark = new Mark(el, "selector");
    const head = h("div", { class: "jmuz-row" }, this.provider, this.refresh);
    const foot = h("div", { class: "jmuz-selector-foot" }, this.now, this.use);
    el.append(head, this.progress.node, this.hint, this.problem, this.models.node, foot, this.status);
    el.setAttribute("data-lm-suppress-shortcuts", "true");
    el.addEventListener("keydown", (event) => event.stopPropagation());
    this.models.field.value = this.state.pattern;
    link.views.add(this);
    this.draw();
  }

  /** @returns {SelectorState} */
  get state() {
    return this.link.model.get("state");
  }

  redraw() {
    this.frame ||= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.frame = 0;
    const { link, state } = this;
    this.#showProviders(state);
    this.models.update({ entries: state.entries, value: state.model });
    this.hint.textContent = state.asking ? "" : state.hint;
    this.progress.show(state.asking && link.live ? `Asking ${state.asking} for its models…` : "");
    this.problem.textContent = state.problem || this.refusal;
    this.now.replaceChildren(...inUse(state.using));
    const nobody = !state.provider && !state.using;
    this.refresh.disabled = Boolean(state.asking) || nobody || !link.live;
    this.use.disabled = !link.live || !this.models.pointed || this.models.pointed === state.model;
    this.el.setAttribute("aria-busy", String(Boolean(state.asking)));
    const words = link.queued;
    if (!link.live) this.status.textContent = "The kernel is gone. Run the cell again to choose.";
    else this.status.textContent = words ? `Kernel busy. Queued: ${words}.` : "";
  }

  end() {
    cancelAnimationFrame(this.frame);
    this.progress.show("");
    this.mark.end();
    this.link.views.delete(this);
  }

  /** @param {SelectorState} state */
  #showProviders({ providers, provider }) {
    const shown = JSON.stringify(providers);
    if (shown !== this.shownProviders) {
      this.provider.replaceChildren(...providers.map(([name, label]) => h("option", { value: name }, label)));
    }
    this.shownProviders = shown;
    this.provider.value = provider;
  }

  /** @param {string} [model] */
  #use(model) {
    this.#do({ op: "use", model });
  }

  /** @param {SelectorOperation} operation */
  async #do(operation) {
    const { error } = await this.link.send(operation);
    this.refusal = error ?? "";
    this.redraw();
  }
}

/** @param {string} using */
function inUse(using) {
  if (!using) return ["Nothing is in use in this notebook yet; choose a model."];
  return ["In use in this notebook: ", h("bdi", {}, using)];
}

export default widget(Link, SelectorView);
