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

/**
 * Why a file cannot be added to those already chosen; null if it can.
 * @param {File} file
 * @param {File[]} chosen
 * @param {Limits} limits
 */
export function refusal({ name, type, size }, chosen, { types, images }) {
  const all = chosen.reduce((sum, file) => sum + file.size, size);
  if (!types.includes(type)) {
    return `${name}: expected a PNG, JPEG, WebP or GIF image, got ${type || "something else"}`;
  }
  if (size > images) {
    return `${name}: ${megabytes(size)}, more than the ${megabytes(images)} that a panel can send; make it smaller`;
  }
  if (all > images) return `${name}: ${megabytes(all)} in total, more than ${megabytes(images)}; remove one`;
  return null;
}

/** @param {number} bytes */
export function megabytes(bytes) {
  const value = bytes / 2 ** 20;
  return value < 0.1 ? `${Math.ceil(bytes / 1024)} kB` : `${value.toFixed(value < 10 && value % 1 ? 1 : 0)} MB`;
}
