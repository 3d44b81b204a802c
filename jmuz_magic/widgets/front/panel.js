/** @import { Attached } from "./attachments.js" */
/** @import { Wanted } from "./cells.js" */
/** @import { Prompt } from "./composer.js" */
/** @import { Answer, Export, PanelOperation, SentFile, Settings } from "./protocol.js" */

import { iconButton, textButton } from "./buttons.js";
import { insertCell } from "./cells.js";
import { download } from "./clipboard.js";
import { Composer } from "./composer.js";
import { Confirm } from "./confirm.js";
import { Drawer } from "./drawer.js";
import { h, randomId } from "./elements.js";
import { thumbnail } from "./files.js";
import { guardKeys } from "./keys.js";
import { Mark } from "./mark.js";
import { Menu } from "./menu.js";
import { PanelLink } from "./panel_link.js";
import { TranscriptView } from "./transcript_view.js";
import { widget } from "./widget.js";

const SAID_FOR = 6000; // ms
const GONE = "The kernel is gone, so this is read-only. To go on: %load_ext jmuz_magic, then run this cell.";
const LATE = "This page was opened after the cell ran. Run the cell again, or the notebook keeps no new turns.";

/** One view of a chat panel; several of one panel share its link and show the same. */
class PanelView {
  id = randomId();
  frame = 0;
  said = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  forget;

  /**
   * @param {PanelLink} link
   * @param {HTMLElement} el
   */
  constructor(link, el) {
    this.link = link;
    this.el = el;
    const { name, limits, suggestions } = link.model.get("about");
    this.transcript = new TranscriptView(name, {
      regenerate: (id) => this.#do({ op: "regenerate", turn: id }),
      edit: (id) => this.#edit(id),
      remove: (id) => this.#remove(id),
      show: (id, version) => this.#do({ op: "show", turn: id, version }),
    });
    this.composer = new Composer(limits, {
      send: (prompt) => this.#send(prompt),
      stop: () => this.#do({ op: "stop" }),
      recall: (back) => this.#recall(back),
      say: (words) => this.#say(words),
      describe: async (sources) => (await link.send({ op: "describe", sources })).described,
      offer: async () => (await link.send({ op: "offer" })).offered,
    });
    this.suggestions = h(
      "div",
      { class: "jmuz-suggestions" },
      ...suggestions.map((/** @type {string} */ text) => this.#suggestion(text)),
    );
    this.drawer = new Drawer({
      send: (operation) => link.send(operation),
      close: () => this.#toggleDrawer(false),
      say: (words) => this.#say(words),
    });
    this.status = h("div", { class: "jmuz-status", role: "status" });
    this.confirm = new Confirm({ yes: "Clear", no: "Keep" }, () => this.menu.button.focus());
    this.elsewhere = new Confirm({ yes: "Send them there", no: "Cancel" }, () => this.composer.field.focus());
    this.mark = new Mark(el, "panel");
    this.model = this.#makeModelButton();
    this.settings = iconButton("settings", "Settings", () => this.#toggleDrawer(), { "aria-expanded": "false" });
    this.menu = this.#makeMenu();
    const named = h("bdi", { class: "jmuz-name" }, name);
    const head = h("div", { class: "jmuz-head" }, named, this.model, this.settings, this.menu.node);
    const asks = [this.confirm.node, this.elsewhere.node];
    const parts = [this.transcript.node, ...asks, this.composer.node, this.status];
    const chat = h("div", { class: "jmuz-chat" }, ...parts);
    el.append(head, h("div", { class: "jmuz-body" }, chat, this.drawer.node));
    el.addEventListener("jmuz-insert", (event) => this.#insert(/** @type {CustomEvent<Wanted>} */ (event).detail));
    el.addEventListener("keydown", ({ key }) => {
      if (key === "Escape" && link.transcript.running) this.#do({ op: "stop" });
    });
    this.composer.attachments.catchDrops(el);
    this.unguard = guardKeys(el);
    this.leave = () => link.post({ op: "bye", view: this.id, leaving: true });
    window.addEventListener("pagehide", this.leave);
    link.views.add(this);
    link.post({ op: "hello", view: this.id, page: link.page });
    this.draw();
  }

  redraw() {
    // Once per frame, however many messages arrive.
    this.frame ||= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.frame = 0;
    const { link } = this;
    /** @type {Settings} */
    const settings = link.model.get("settings");
    this.transcript.update(link.transcript, this.#asked());
    this.#showEmpty(settings);
    this.composer.update(Boolean(link.transcript.running), link.live);
    this.drawer.update(settings);
    const label = settings.model_label || "Choose a model";
    if (this.model.textContent !== label) this.model.textContent = label;
    for (const item of this.menu.items.slice(1, -1)) item.disabled = !link.transcript.order.length;
    this.#showStatus();
  }

  end() {
    cancelAnimationFrame(this.frame);
    this.unguard();
    window.removeEventListener("pagehide", this.leave);
    this.transcript.end();
    this.mark.end();
    this.link.views.delete(this);
    if (this.link.live) this.link.post({ op: "bye", view: this.id });
  }

  #makeModelButton() {
    const named = { class: "jmuz-button jmuz-model-button", title: "Model and settings" };
    return h("button", { type: "button", ...named, onclick: () => this.#toggleDrawer() });
  }

  #makeMenu() {
    return new Menu("Conversation", [
      { label: "Undo", run: () => this.#undo() },
      { label: "Export as Markdown", run: () => this.#export("md") },
      { label: "Export as notebook", run: () => this.#export("ipynb") },
      { label: "Export as JSON", run: () => this.#export("json") },
      { label: "Clear…", run: () => this.confirm.open("Clear the whole conversation?", () => this.#clear()) },
    ]);
  }

  /** @param {Settings} settings */
  #showEmpty({ ready, hint, resume, endpoint }) {
    const { empty } = this.transcript;
    const shown = [ready, hint, resume, endpoint].join("\n");
    if (empty.hidden || empty.dataset.shown === shown) return;
    empty.dataset.shown = shown;
    const title = ready ? "Ask something" : "No endpoint yet";
    const offer = ready && resume ? [this.#offer(resume, endpoint)] : [];
    empty.replaceChildren(h("p", { class: "jmuz-empty-title" }, title), h("p", {}, hint), ...offer, this.suggestions);
  }

  /**
   * @param {string} turns
   * @param {string} endpoint
   */
  #offer(turns, endpoint) {
    const button = textButton(`Resume ${turns}`, () => this.#resume());
    return h("div", { class: "jmuz-resume" }, button, h("p", {}, `The next prompt sends them to ${endpoint}.`));
  }

  async #resume(agreed = "") {
    const { error, note, question } = await this.link.send({ op: "resume", agreed });
    if (question) this.elsewhere.open(question, () => this.#resume(question));
    else {
      this.#say(error ?? note ?? "");
      this.composer.field.focus();
    }
  }

  /** @param {string} text */
  #suggestion(text) {
    const label = text.endsWith(" ") ? `${text}…` : text; // to be gone on with
    return textButton(label, () => this.composer.suggest(text));
  }

  #showStatus() {
    const words = this.link.queued;
    let text = this.said || (this.link.isLate ? LATE : "");
    if (!this.link.live) text = GONE;
    else if (words) text = `Kernel busy. Queued: ${words}.`;
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  /** @param {string} words */
  #say(words) {
    clearTimeout(this.forget);
    this.said = words;
    this.forget = setTimeout(() => {
      this.said = "";
      this.redraw();
    }, SAID_FOR);
    this.redraw();
  }

  /** @param {PanelOperation} operation */
  async #do(operation) {
    const answer = await this.link.send(operation);
    if (answer.error || answer.note) this.#say(answer.error ?? answer.note ?? "");
    return answer;
  }

  /** Prompts that the kernel has not accepted yet. */
  #asked() {
    const operations = [...this.link.waiting.values()].map(({ operation }) => operation);
    return operations.flatMap((operation) => (operation.op === "ask" ? (operation.text ?? "") : []));
  }

  /** @param {Prompt} prompt */
  #send(prompt) {
    if (prompt.editing && this.link.transcript.running) {
      this.#say("A reply is still being written; stop it first.");
      return false;
    }
    this.transcript.following = true;
    this.#deliver(prompt);
    return true;
  }

  /** @param {Prompt} prompt */
  async #deliver(prompt) {
    const { text, chips, editing } = prompt;
    const cells = prompt.cells.map(([number]) => number);
    this.#say("");
    const replaces = editing?.id ?? null;
    /** @type {Answer} */
    let answer;
    try {
      const files = await Promise.all(prompt.files.map((attached) => this.#upload(attached)));
      answer = await this.link.send({ op: "ask", text, chips, cells, files, replaces });
    } catch {
      answer = { error: "a file cannot be read any more; nothing was sent" };
    }
    if (answer.error) this.composer.restore(prompt);
    if (answer.error || answer.note) this.#say(answer.error ?? answer.note ?? "");
  }

  /**
   * @param {Attached} attached
   * @returns {Promise<SentFile>}
   */
  async #upload({ file, kind }) {
    const id = randomId();
    const bytes = await file.arrayBuffer();
    const small = kind === "image" ? await thumbnail(file) : "";
    this.link.post({ op: "attach", file: id }, [bytes]);
    return { id, name: file.name, thumbnail: small };
  }

  /** @param {string} id */
  #edit(id) {
    const { order, turns } = this.link.transcript;
    const turn = turns.get(id);
    const what = id === order.at(-1) ? "the last prompt" : `prompt ${order.indexOf(id) + 1} of ${order.length}`;
    if (turn) this.composer.edit(id, turn.prompt, `Editing ${what}`);
  }

  /** @param {string} id */
  async #remove(id) {
    this.composer.field.focus(); // the button goes
    await this.#do({ op: "delete", turn: id });
  }

  async #undo() {
    const { prompt } = await this.#do({ op: "undo" });
    if (prompt) this.composer.offer(prompt);
  }

  /** @param {number} back */
  #recall(back) {
    return this.link.transcript.list.at(-1 - back)?.prompt;
  }

  /** @param {Export["format"]} format */
  async #export(format) {
    const { error, file } = await this.link.send({ op: "export", format });
    if (file) download(file);
    this.#say(error ?? `Exported ${file?.name}`);
  }

  /** @param {Wanted} wanted */
  async #insert(wanted) {
    this.#say(await insertCell(wanted, [this.el, ...[...this.link.views].map(({ el }) => el)]));
  }

  async #clear() {
    this.menu.button.focus();
    await this.#do({ op: "clear" });
    this.composer.field.focus();
  }

  #toggleDrawer(open = this.drawer.node.hidden) {
    this.settings.setAttribute("aria-expanded", String(open));
    if (open) this.drawer.open();
    else {
      this.drawer.node.hidden = true;
      this.settings.focus();
    }
  }
}

export default widget(PanelLink, PanelView);
