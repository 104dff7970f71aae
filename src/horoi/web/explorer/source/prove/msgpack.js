// The one byte form of records (base/codec.py): MessagePack of which only the shortest form of every value is accepted, so
// what decodes here encodes to the same bytes. Numbers over 2^53 are BigInts.

import { join, text } from "./bytes.js";

const MAX_DEPTH = 32;

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
  }

  take(size) {
    if (this.at + size > this.bytes.length) throw new RangeError("the bytes end too early");
    this.at += size;
    return this.at - size;
  }

  value(depth = 0) {
    if (depth > MAX_DEPTH) throw new RangeError("nested too deep");
    const first = this.bytes[this.take(1)];
    if (first < 0x80) return first;
    if (first < 0x90) throw new RangeError("a map, which no record is");
    if (first < 0xa0) return this.list(first & 0x0f, depth);
    if (first < 0xc0) return this.string(first & 0x1f);
    switch (first) {
      case 0xc0: return null;
      case 0xc2: return false;
      case 0xc3: return true;
      case 0xc4: return this.data(this.size(1, 0));
      case 0xc5: return this.data(this.size(2, 0x100));
      case 0xc6: return this.data(this.size(4, 0x10000));
      case 0xcc: return this.size(1, 0x80);
      case 0xcd: return this.size(2, 0x100);
      case 0xce: return this.size(4, 0x10000);
      case 0xcf: return this.long();
      case 0xd9: return this.string(this.size(1, 0x20));
      case 0xda: return this.string(this.size(2, 0x100));
      case 0xdb: return this.string(this.size(4, 0x10000));
      case 0xdc: return this.list(this.size(2, 0x10), depth);
      case 0xdd: return this.list(this.size(4, 0x10000), depth);
      default: throw new RangeError(`a value of kind ${first.toString(16)}, which no record has`);
    }
  }

  size(width, least) {
    const at = this.take(width);
    const value = width === 1 ? this.view.getUint8(at) : width === 2 ? this.view.getUint16(at) : this.view.getUint32(at);
    if (value < least) throw new RangeError("a number in a longer form than it needs");
    return value;
  }

  long() {
    const value = this.view.getBigUint64(this.take(8));
    if (value < 0x100000000n) throw new RangeError("a number in a longer form than it needs");
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
  }

  data(size) {
    const at = this.take(size);
    return this.bytes.slice(at, at + size);
  }

  string(size) {
    const at = this.take(size);
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.bytes.subarray(at, at + size));
  }

  list(size, depth) {
    const out = [];
    for (let i = 0; i < size; i++) out.push(this.value(depth + 1));
    return out;
  }
}

/** The value in these bytes, all of them. */
export function decode(bytes) {
  const reader = new Reader(bytes);
  const value = reader.value();
  if (reader.at !== bytes.length) throw new RangeError("bytes after the end");
  return value;
}

/** The bytes of each element of an array, undecoded. */
export function split(bytes) {
  const reader = new Reader(bytes);
  const first = bytes[reader.take(1)];
  let size;
  if (first >= 0x90 && first < 0xa0) size = first & 0x0f;
  else if (first === 0xdc) size = reader.size(2, 0x10);
  else if (first === 0xdd) size = reader.size(4, 0x10000);
  else throw new RangeError("not an array");
  const parts = [];
  for (let i = 0; i < size; i++) {
    const start = reader.at;
    reader.value();
    parts.push(bytes.subarray(start, reader.at));
  }
  if (reader.at !== bytes.length) throw new RangeError("bytes after the end");
  return parts;
}

function head(size, short, forms) {
  if (short && size < short[1]) return Uint8Array.of(short[0] | size);
  for (const [kind, width] of forms) {
    if (size < 256 ** width) {
      const out = new Uint8Array(1 + width);
      out[0] = kind;
      for (let i = width, left = size; i > 0; i--, left = Math.floor(left / 256)) out[i] = left % 256;
      return out;
    }
  }
  throw new RangeError("too large");
}

/** The one byte form of a value: null, booleans, whole numbers, text, bytes, arrays of such. */
export function encode(value) {
  if (value === null) return Uint8Array.of(0xc0);
  if (typeof value === "boolean") return Uint8Array.of(value ? 0xc3 : 0xc2);
  if (typeof value === "bigint" || typeof value === "number") {
    if (value < 0x100000000) return head(Number(value), [0, 0x80], [[0xcc, 1], [0xcd, 2], [0xce, 4]]);
    const out = new Uint8Array(9);
    out[0] = 0xcf;
    new DataView(out.buffer).setBigUint64(1, BigInt(value));
    return out;
  }
  if (typeof value === "string") {
    const bytes = text(value);
    return join(head(bytes.length, [0xa0, 0x20], [[0xd9, 1], [0xda, 2], [0xdb, 4]]), bytes);
  }
  if (value instanceof Uint8Array) return join(head(value.length, null, [[0xc4, 1], [0xc5, 2], [0xc6, 4]]), value);
  return join(head(value.length, [0x90, 0x10], [[0xdc, 2], [0xdd, 4]]), ...value.map(encode));
}
