const EXPRESSION = /(?<!\{)\{\{([^{}\n]{1,500})\}\}(?!\})/g;
const BY_KEY = new Set(["insertText", "insertLineBreak", "insertParagraph"]);
const BY_COMPOSITION = new Set(["insertCompositionText", "insertFromComposition"]);
// Text that comes in at one place. What else may change a field (undo, corrections) leaves nothing that is surely typed.
const AT_A_PLACE = /^(?:insert(?:Text|LineBreak|Paragraph|FromPaste|FromPasteAsQuotation|FromDrop|FromYank))$/;
const ONE_KEY = 2; // code units that one key writes: an accent that fits no letter comes with the next one

/** @typedef {{ source: string, start: number, end: number }} TypedExpression Its place includes the braces. */

/**
 * Which characters of a field its user has typed. All others are not: pasted, dropped, corrected, undone, set.
 *
 * A typed character follows a key that went down in the field, or is part of a composition (Japanese, Chinese, Korean,
 * most keyboards on glass).
 */
export class TypedText {
  text = "";
  marks = ""; // one letter for each code unit: "t" where it was typed
  #pressed = false;
  /** @type {{ start: number, end: number } | undefined} What was chosen before the change that comes. */
  #chosen;

  /** @param {HTMLTextAreaElement} field */
  constructor(field) {
    this.field = field;
    field.addEventListener("keydown", () => (this.#pressed = true));
    field.addEventListener("keyup", () => (this.#pressed = false));
    field.addEventListener("beforeinput", () => this.#prepare());
    field.addEventListener("input", (event) => this.#input(/** @type {InputEvent} */ (event)));
  }

  /** The typed `{{…}}` in order; whether one means something, the kernel says. */
  get expressions() {
    /** @type {TypedExpression[]} */
    const found = [];
    for (const { 0: whole, 1: source, index } of this.text.matchAll(EXPRESSION)) {
      const [start, end] = [index, index + whole.length];
      if (!this.marks.slice(start, end).includes("-")) found.push({ source, start, end });
    }
    return found;
  }

  /**
   * Put another text into the field; without marks it counts as not typed.
   * @param {string} text
   * @param {string} [marks]
   */
  set(text, marks = "-".repeat(text.length)) {
    this.field.value = this.text = text;
    this.marks = marks;
  }

  /** Take what is in the field, which a script of the page may have put there: that is not typed. */
  settle() {
    if (this.field.value !== this.text) this.set(this.field.value);
  }

  /**
   * Write at the cursor what a user chose from a list, as if it were typed.
   * @param {string} text
   */
  write(text) {
    const { selectionStart: start, selectionEnd: end } = this.field;
    this.field.setRangeText(text, start, end, "end");
    this.#replace(start, end, text.length, true);
  }

  /**
   * Let the expressions with that source be text.
   * @param {string} source
   */
  release(source) {
    for (const { start, end } of this.expressions.filter((each) => each.source === source)) {
      this.marks = this.marks.slice(0, start) + "-".repeat(end - start) + this.marks.slice(end);
    }
  }

  #prepare() {
    this.settle();
    this.#chosen = { start: this.field.selectionStart, end: this.field.selectionEnd };
  }

  /** @param {InputEvent} event */
  #input({ inputType = "" }) {
    const { value, selectionStart, selectionEnd } = this.field;
    const [chosen, before] = [this.#chosen, this.text];
    let { start, tail } = difference(before, value, selectionEnd);
    const byKey = this.#pressed && BY_KEY.has(inputType) && value.length - tail - start <= ONE_KEY;
    const typed = byKey || BY_COMPOSITION.has(inputType);
    if (!typed && !inputType.startsWith("delete")) {
      // What comes in may begin or end like what it replaces, so equal characters prove nothing.
      const known = chosen && AT_A_PLACE.test(inputType);
      start = known ? Math.min(start, chosen.start, selectionStart) : 0;
      tail = known ? Math.min(tail, before.length - chosen.end) : 0;
    }
    this.#replace(start, before.length - tail, value.length - tail - start, typed);
    this.#pressed = false;
    this.#chosen = undefined;
  }

  /**
   * @param {number} start
   * @param {number} end
   * @param {number} length What takes their place, which the field has already.
   * @param {boolean} typed
   */
  #replace(start, end, length, typed) {
    this.marks = this.marks.slice(0, start) + (typed ? "t" : "-").repeat(length) + this.marks.slice(end);
    this.text = this.field.value;
  }
}

/**
 * Where two texts differ: the equal characters before, and after; the new ones end at the cursor.
 * @param {string} before
 * @param {string} after
 * @param {number} cursor
 */
function difference(before, after, cursor) {
  let tail = after.length - cursor;
  if (!before.endsWith(after.slice(cursor))) {
    tail = 0;
    while (tail < before.length && tail < after.length && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  }
  const most = Math.min(before.length, after.length) - tail;
  let start = 0;
  while (start < most && before[start] === after[start]) start += 1;
  return { start, tail };
}
