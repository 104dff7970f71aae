// Shapes: what a decoded value has to look like, as msgspec's types say it in Python. A shape is a function that is given a value and
// gives it back in the form that is worked with, or throws. Hashes and keys become lowercase hexadecimal, quantities BigInts.

import { hex } from "./bytes.js";

const U64_MAX = 2n ** 64n - 1n;

export function refuse(what) {
  throw new TypeError(what);
}

export const bool = (value) => (typeof value === "boolean" ? value : refuse("neither true nor false"));

/** A whole number that fits a double. */
export const whole = (least, most) => (value) => {
  const isWhole = typeof value === "bigint" || Number.isInteger(value);
  return isWhole && value >= least && value <= most ? Number(value) : refuse(`no whole number from ${least} to ${most}`);
};

export const quantity = (value) => {
  const isWhole = typeof value === "bigint" || Number.isInteger(value);
  return isWhole && value >= 0 && value <= U64_MAX ? BigInt(value) : refuse("no quantity");
};

export const bytes = (least, most = least) => (value) =>
  value instanceof Uint8Array && value.length >= least && value.length <= most ? value : refuse(`no bytes of the length ${least} to ${most}`);

const bytes32 = bytes(32);
export const hash = (value) => hex(bytes32(value));

/** Text of so many characters (code points, as Python counts). */
export const text = (least, most) => (value) => {
  const length = typeof value === "string" ? [...value].length : -1;
  return length >= least && length <= most ? value : refuse(`no text of ${least} to ${most} characters`);
};

export const matching = (pattern) => (value) => (typeof value === "string" && pattern.test(value) ? value : refuse(`not as ${pattern.source}`));

export const orNull = (shape) => (value) => (value === null ? null : shape(value));

export const list = (shape, most, least = 0) => (value) =>
  Array.isArray(value) && value.length >= least && value.length <= most ? value.map(shape) : refuse(`no list of ${least} to ${most}`);

/** A record of the ledger: an array of its fields in order, all of them and none more. */
export const record = (fields) => {
  const entries = Object.entries(fields);
  return (value) => {
    if (!Array.isArray(value) || value.length !== entries.length) refuse(`not ${Object.keys(fields).join(", ")}`);
    return Object.fromEntries(entries.map(([name, shape], i) => [name, shape(value[i])]));
  };
};

/** One of several records, told apart by their first element: {number: [kind, fields]}. */
export const union = (members) => {
  const known = new Map(Object.entries(members).map(([tag, [kind, fields]]) => [Number(tag), { kind, shape: record(fields) }]));
  return (value) => {
    const member = known.get(Array.isArray(value) ? value[0] : undefined) ?? refuse("of no known kind");
    return { kind: member.kind, ...member.shape(value.slice(1)) };
  };
};

/** An object of JSON with these keys, in this order and no others. */
export const object = (fields) => {
  const entries = Object.entries(fields);
  const names = Object.keys(fields).join();
  return (value) => {
    if (value === null || typeof value !== "object" || Object.keys(value).join() !== names) refuse(`not an object of ${names}`);
    return Object.fromEntries(entries.map(([name, shape]) => [name, shape(value[name])]));
  };
};
