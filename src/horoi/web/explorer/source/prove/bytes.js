// Bytes, their hexadecimal form, and the hashes of the ledger (base/hashing.py): SHA-256, tagged by purpose as in BIP 340.

import { sha256 } from "@noble/hashes/sha2.js";

const DIGITS = "0123456789abcdef";

export const text = (value) => new TextEncoder().encode(value);

export function hex(bytes) {
  let out = "";
  for (const byte of bytes) out += DIGITS[byte >> 4] + DIGITS[byte & 15];
  return out;
}

export function unhex(value) {
  if (typeof value !== "string" || value.length % 2 || !/^[0-9a-f]*$/.test(value)) throw new TypeError("not lowercase hexadecimal");
  const out = new Uint8Array(value.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = parseInt(value.slice(2 * i, 2 * i + 2), 16);
  return out;
}

export function join(...parts) {
  const out = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export const same = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);

/** A whole number as so many bytes, the highest first. */
export function big(value, size) {
  const out = new Uint8Array(size);
  let left = BigInt(value);
  for (let i = size - 1; i >= 0; i--) {
    out[i] = Number(left & 255n);
    left >>= 8n;
  }
  return out;
}

export const numberOf = (bytes) => BigInt(`0x${hex(bytes) || "0"}`);

/** The hash function of a purpose; `prefix` is what every message of it begins with. */
export function tagged(tag, prefix = new Uint8Array()) {
  const label = sha256(text(tag));
  const before = join(label, label, prefix);
  return (data) => sha256(join(before, data));
}

export { sha256 };
