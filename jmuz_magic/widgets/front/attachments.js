/** @import { Limits } from "./protocol.js" */

import { iconButton } from "./buttons.js";
import { h } from "./elements.js";
import { megabytes, refusal } from "./images.js";

/** @typedef {{ file: File, address: string }} Attached An image, with the address under which the page shows it. */

/** The images of a prompt: a button to choose them, and previews with buttons to remove them. */
export class Attachments {
  /** @type {Attached[]} */
  images = [];

  /**
   * @param {Limits} limits
   * @param {{ changed: () => void, done: () => void, say: (words: string) => void }} tell
   *   `changed`: the images; `done`: the user has chosen; `say`: why an image is refused.
   */
  constructor(limits, { changed, done, say }) {
    this.limits = limits;
    this.changed = changed;
    this.done = done;
    this.say = say;
    this.previews = h("div", { class: "jmuz-pictures", hidden: true });
    const accept = limits.types.join();
    const onchange = () => this.#picked();
    this.picker = h("input", { type: "file", accept, multiple: true, hidden: true, onchange });
    const label = `Attach images (up to ${megabytes(limits.images)} in total)`;
    this.button = iconButton("image", label, () => this.picker.click());
  }

  /** @param {Iterable<File>} files */
  add(files) {
    for (const file of files) {
      const problem = refusal(
        file,
        this.images.map((image) => image.file),
        this.limits,
      );
      if (problem) this.say(problem);
      else this.images.push({ file, address: URL.createObjectURL(file) });
    }
    this.#show();
  }

  /** @param {Attached[]} images Those of a prompt that could not be sent. */
  restore(images) {
    this.images.unshift(...images);
    this.#show();
  }

  clear() {
    this.images = [];
    this.#show();
  }

  #picked() {
    this.add(this.picker.files ?? []);
    this.picker.value = "";
    this.done();
  }

  #show() {
    this.previews.hidden = !this.images.length;
    this.previews.replaceChildren(...this.images.map((image) => this.#preview(image)));
    this.changed();
  }

  /** @param {Attached} image */
  #preview(image) {
    const { name } = image.file;
    const remove = iconButton("close", `Remove ${name}`, () => {
      this.images = this.images.filter((other) => other !== image);
      URL.revokeObjectURL(image.address);
      this.#show();
      this.done();
    });
    return h(
      "div",
      { class: "jmuz-preview" },
      h("img", { class: "jmuz-picture", src: image.address, alt: name }),
      remove,
    );
  }
}
