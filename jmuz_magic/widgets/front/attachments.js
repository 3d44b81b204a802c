/** @import { FileKind } from "./files.js" */
/** @import { Limits } from "./protocol.js" */

import { iconButton } from "./buttons.js";
import { h } from "./elements.js";
import { judged, sizeWords } from "./files.js";
import { icon } from "./icons.js";

/** @typedef {{ file: File, kind: FileKind, address: string }} Attached A file, with an image's address in the page. */

/** The files of a prompt: a button to choose them, a place to drop them, and what shows and removes them. */
export class Attachments {
  /** @type {Attached[]} */
  files = [];

  /**
   * @param {Limits} limits
   * @param {{ changed: () => void, done: () => void, say: (words: string) => void }} tell
   *   `changed`: the files; `done`: the user has chosen; `say`: why a file is refused.
   */
  constructor(limits, { changed, done, say }) {
    this.limits = limits;
    this.changed = changed;
    this.done = done;
    this.say = say;
    this.previews = h("div", { class: "jmuz-pictures", role: "group", "aria-label": "Files to send", hidden: true });
    const onchange = () => this.#picked();
    this.picker = h("input", { type: "file", multiple: true, hidden: true, onchange });
    const label = `Attach files (up to ${limits.files}, ${sizeWords(limits.each)} each)`;
    this.button = iconButton("attach", label, () => this.picker.click());
  }

  /**
   * Take files that are dropped onto an element; text that is dropped goes where it always does.
   * @param {HTMLElement} el
   */
  catchDrops(el) {
    /** @param {DragEvent} event */
    const over = (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return false;
      event.preventDefault();
      event.stopPropagation();
      return true;
    };
    el.addEventListener("dragover", (event) => el.classList.toggle("jmuz-dropping", over(event)));
    el.addEventListener("dragleave", (event) => {
      const inside = el.contains(/** @type {Node | null} */ (event.relatedTarget));
      if (!inside) el.classList.remove("jmuz-dropping");
    });
    el.addEventListener("drop", (event) => {
      el.classList.remove("jmuz-dropping");
      if (over(event)) this.add(event.dataTransfer?.files ?? []).then(this.done);
    });
  }

  /** @param {Iterable<File>} files */
  async add(files) {
    const all = [...files]; // a drop's list is emptied after the event
    for (const [index, verdict] of (await Promise.all(all.map((file) => judged(file, this.limits)))).entries()) {
      const file = all[index];
      if ("problem" in verdict) this.say(verdict.problem);
      else if (this.files.length >= this.limits.files) {
        this.say(`${file.name}: there are ${this.limits.files} files already; remove one`);
      } else this.files.push({ file, kind: verdict.kind, address: URL.createObjectURL(file) });
    }
    this.#show();
  }

  /** @param {Attached[]} files Those of a prompt that could not be sent. */
  restore(files) {
    this.files.unshift(...files);
    this.#show();
  }

  clear() {
    this.files = [];
    this.#show();
  }

  async #picked() {
    const adding = this.add(this.picker.files ?? []);
    this.picker.value = "";
    await adding;
    this.done();
  }

  #show() {
    this.previews.hidden = !this.files.length;
    this.previews.replaceChildren(...this.files.map((file) => this.#preview(file)));
    this.changed();
  }

  /** @param {Attached} attached */
  #preview(attached) {
    const { name, size } = attached.file;
    const remove = iconButton("close", `Remove ${name}`, () => {
      this.files = this.files.filter((other) => other !== attached);
      URL.revokeObjectURL(attached.address);
      this.#show();
      this.done();
    });
    if (attached.kind === "image") {
      const picture = h("img", { class: "jmuz-picture", src: attached.address, alt: name });
      return h("div", { class: "jmuz-preview" }, picture, remove);
    }
    const about = h("span", { class: "jmuz-chip-about" }, sizeWords(size));
    return h("span", { class: "jmuz-chip jmuz-file" }, icon("file"), h("bdi", {}, name), about, remove);
  }
}
