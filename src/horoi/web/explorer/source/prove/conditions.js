// Conditions (ledger/conditions.py): a key, k of n keys, after a height or a time, a hash preimage, or combinations of those.
// `satisfied` is the whole semantics.

import { rule } from "./broken.js";

const MAX_DEPTH = 4;
const MAX_SIZE_BYTES = 1024;

/** Within its bounds, and in its one form. */
export function checkCondition(condition) {
  if (condition.kind === "key") return;
  checkPart(condition, MAX_DEPTH);
  const sizeBytes = condition.name.length / 2;
  rule(sizeBytes <= MAX_SIZE_BYTES, "condition.size", `${sizeBytes} bytes, the limit is ${MAX_SIZE_BYTES}`);
}

function checkPart(condition, depthLeft) {
  rule(depthLeft > 0, "condition.depth", `nested deeper than ${MAX_DEPTH}`);
  if (condition.kind === "threshold") {
    const { needed, keys } = condition;
    rule(needed <= keys.length, "condition.threshold", `${needed} of ${keys.length} keys`);
    rule(isAscending(keys), "condition.order", "keys of a threshold stand in ascending order, each once");
  }
  for (const part of condition.parts ?? []) checkPart(part, depthLeft - 1);
}

export const isAscending = (texts) => texts.every((text, i) => !i || texts[i - 1] < text);

/**
 * Whether these signers and shown hashes satisfy the condition, in a block of this height and median time. With -1 for both no lock
 * has run out: that is how receiving is judged.
 */
export function satisfied(condition, { signers, shown, height, timeMs }) {
  const holds = (part) => satisfied(part, { signers, shown, height, timeMs });
  switch (condition.kind) {
    case "key": return signers.has(condition.public);
    case "threshold": return condition.keys.filter((key) => signers.has(key)).length >= condition.needed;
    case "afterHeight": return height >= condition.height;
    case "afterTime": return timeMs >= condition.timeMs;
    case "preimage": return shown.has(condition.digest);
    case "allOf": return condition.parts.every(holds);
    default: return condition.parts.some(holds);
  }
}

export function keysNamed(condition) {
  if (condition.kind === "key") return [condition.public];
  return condition.keys ?? (condition.parts ?? []).flatMap(keysNamed);
}

/** The hashes whose preimages it asks for. */
export function hashesNamed(condition) {
  if (condition.kind === "preimage") return [condition.digest];
  return (condition.parts ?? []).flatMap(hashesNamed);
}
