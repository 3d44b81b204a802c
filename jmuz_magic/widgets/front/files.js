/** @import { Limits } from "./protocol.js" */

import { h } from "./elements.js";

const THUMBNAIL_PIXELS = 240;

/**
 * A thumbnail for the transcript; "" if the browser cannot read the image.
 * @param {File} file
 */
export async function thumbnail(file) {
  try {
    const bitmap = await createImageBitmap(file);
    const scale = Math.min(1, THUMBNAIL_PIXELS / Math.max(bitmap.width, bitmap.height));
    const canvas = h("canvas", { width: Math.ceil(bitmap.width * scale), height: Math.ceil(bitmap.height * scale) });
    canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    return canvas.toDataURL("image/webp", 0.8);
  } catch {
    return "";
  }
}

const HEAD_BYTES = 100 * 1024;

/** @typedef {"image" | "pdf" | "text"} FileKind */

/**
 * What a file is, or why it cannot be sent; the kernel looks again.
 * @param {File} file
 * @param {Limits} limits
 * @returns {Promise<{ kind: FileKind } | { problem: string }>}
 */
export async function judged(file, { types, each }) {
  const { name, type, size } = file;
  if (size > each) {
    return { problem: `${name}: ${sizeWords(size)}, more than the ${sizeWords(each)} that a file may have` };
  }
  if (types.includes(type)) return { kind: "image" };
  let head;
  try {
    head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  } catch {
    return { problem: `${name}: it cannot be read; a folder is sent file by file` };
  }
  if (String.fromCharCode(...head.slice(0, 5)) === "%PDF-") return { kind: "pdf" };
  if (isText(head)) return { kind: "text" };
  return { problem: `${name}: expected an image, a text or a PDF, got ${type || "something else"}` };
}

/**
 * Whether bytes are text: without controls that no text has, or with the mark of UTF-16.
 * @param {Uint8Array} bytes
 */
function isText(bytes) {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return true;
  return !bytes.some((byte) => byte < 9 || (byte > 13 && byte < 32 && byte !== 27));
}

/** @param {number} bytes */
export function sizeWords(bytes) {
  if (bytes < 1024) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  if (bytes < 1024 * 1000) return `${Math.round(bytes / 1024)} kB`;
  const value = bytes / 2 ** 20;
  return `${value.toFixed(value % 1 ? 1 : 0)} MB`;
}
