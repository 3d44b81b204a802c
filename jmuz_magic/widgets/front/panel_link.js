/** @import { TranscriptMessage } from "./link.js" */
/** @import { Resync } from "./protocol.js" */
/** @import { Model } from "./widget.js" */

import { randomId } from "./elements.js";
import { Link } from "./link.js";
import { Transcript } from "./transcript.js";

/** The link of a panel; it also keeps the transcript. */
export class PanelLink extends Link {
  transcript = new Transcript();
  page = randomId();

  /** @param {Model} model */
  constructor(model) {
    super(model);
    this.#takeState();
    model.on("change:transcript", () => this.#takeState());
  }

  /** Whether the page was opened or reloaded after the cell ran: then front ends change no output of the cell. */
  get isLate() {
    const page = this.model.get("page");
    return Boolean(page) && page !== this.page;
  }

  /** @override */
  get due() {
    return super.due || this.transcript.running !== undefined;
  }

  /**
   * @override
   * @returns {Resync}
   */
  get missing() {
    return { ...super.missing, known: this.transcript.known };
  }

  /**
   * @override
   * @param {TranscriptMessage} message
   */
  take(message) {
    if (this.transcript.take(message)) this.#keep(message);
    else if (this.transcript.missed) this.resync();
  }

  #takeState() {
    const state = this.model.get("transcript");
    if (state) this.transcript.take(state);
  }

  /**
   * The state that the front end saves with the notebook: whole turns, never sent back to the kernel.
   * @param {TranscriptMessage} message
   */
  #keep(message) {
    if (message.type === "turns") this.model.set("transcript", this.transcript.snapshot, { silent: true });
  }
}
