/** @import { Answer, AnsweredMessage, AnswerMessage, PanelMessage, PanelOperation } from "./protocol.js" */
/** @import { PartMessage, Resync, SelectorMessage, SelectorOperation } from "./protocol.js" */
/** @import { TakenMessage, TurnsMessage } from "./protocol.js" */
/** @import { Model } from "./widget.js" */

import { randomId } from "./elements.js";

const QUEUED_AFTER = 400; // ms without an answer before a click is shown as queued
const SILENT_AFTER = 5000; // ms without a message that is due before the kernel is asked what was missed

/** @typedef {PanelOperation | SelectorOperation} Operation */
/** @typedef {PartMessage | TurnsMessage} TranscriptMessage */
/** @typedef {{ operation: Operation, answer: (answer: Answer) => void, since: number, taken?: true }} Waiting */

/**
 * The connection to the kernel, shared by all views of a widget.
 *
 * It sends operations. The kernel answers each, however late: a busy kernel serves them after the cell.
 */
export class Link {
  /** @param {Model} model */
  constructor(model) {
    this.model = model;
    /** @type {Map<string, Waiting>} Operations without an answer, by their id. */
    this.waiting = new Map();
    /** @type {Set<{ el: HTMLElement, redraw: () => void }>} */
    this.views = new Set();
    this.live = true;
    this.heard = Date.now();
    this.asked = 0;
    this.patience = SILENT_AFTER;
    model.on("msg:custom", (message) => this.#hear(message));
    model.on("change", () => this.changed());
    // ipywidgets sends this to an existing model only when its kernel died or was restarted from this page.
    model.on("comm_live_update", () => this.#die());
    // A restart from elsewhere shows only in the kernel's own messages, where the front end exposes them.
    this.messages = model.widget_manager?.kernel?.iopubMessage;
    /** @type {(sender: unknown, message: { header: { msg_type: string } }) => void} */
    this.heed = (_, message) => {
      if (message.header.msg_type === "shutdown_reply") this.#die();
    };
    this.messages?.connect(this.heed);
    this.timer = setInterval(() => this.#look(), QUEUED_AFTER / 2);
  }

  /**
   * Send an operation; the promise resolves to the kernel's answer.
   * @param {Operation} operation
   * @param {ArrayBuffer[]} [buffers]
   * @returns {Promise<Answer>}
   */
  send(operation, buffers = []) {
    const id = randomId();
    return new Promise((answer) => {
      this.waiting.set(id, { operation, answer, since: Date.now() });
      this.post({ ...operation, request: id }, buffers);
      this.changed();
    });
  }

  /**
   * Send a message that gets no answer; operations go through `send`.
   * @param {PanelMessage | SelectorMessage} content
   * @param {ArrayBuffer[]} [buffers]
   */
  post(content, buffers = []) {
    this.model.send(content, undefined, buffers);
  }

  /** What waits for a busy kernel, in words. */
  get queued() {
    const late = [...this.waiting.values()].filter(({ since, taken }) => !taken && Date.now() - since > QUEUED_AFTER);
    return late.map(({ operation }) => this.model.get("about").operations[operation.op]).join(", ");
  }

  /** Whether a message from the kernel is due. */
  get due() {
    return this.waiting.size > 0;
  }

  /**
   * The question for the kernel when a message may have been lost.
   * @returns {Resync}
   */
  get missing() {
    return { op: "resync", waiting: [...this.waiting.keys()] };
  }

  changed() {
    for (const view of this.views) view.redraw();
  }

  end() {
    clearInterval(this.timer);
    this.messages?.disconnect(this.heed);
  }

  /**
   * Take a message about the transcript, which only a panel has.
   * @param {TranscriptMessage} _message
   */
  take(_message) {}

  // Less and less often: each question waits in a busy kernel's queue until the cell ends.
  resync() {
    if (Date.now() - this.asked < Math.max(1000, this.patience - SILENT_AFTER)) return;
    this.asked = this.heard = Date.now();
    this.patience = Math.min(this.patience * 2, 60_000);
    this.post(this.missing);
  }

  /** Every pending operation fails, so that no prompt is lost. */
  #die() {
    this.live = false;
    for (const { answer } of this.waiting.values()) answer({ error: "the kernel is gone; run the cell again" });
    this.waiting.clear();
    this.changed();
  }

  /** @param {TranscriptMessage | AnswerMessage | TakenMessage | AnsweredMessage} message */
  #hear(message) {
    this.heard = Date.now();
    if ("type" in message && message.type === "answer") this.#answer(message.request, message);
    else if ("type" in message && message.type === "taken") this.#take(message.request);
    else if ("type" in message) this.take(message);
    if ("answered" in message) {
      this.patience = SILENT_AFTER;
      for (const [id, answer] of Object.entries(message.answered ?? {})) this.#answer(id, answer);
    }
    this.changed();
  }

  /**
   * @param {string} id
   * @param {Answer} answer
   */
  #answer(id, answer) {
    this.waiting.get(id)?.answer(answer);
    this.waiting.delete(id);
  }

  /**
   * The kernel has begun what waits for an endpoint.
   * @param {string} id
   */
  #take(id) {
    const waiting = this.waiting.get(id);
    if (waiting) waiting.taken = true;
  }

  #look() {
    if (this.live && this.due && Date.now() - this.heard > this.patience) this.resync();
    if (this.queued) this.changed();
  }
}
