// Merkle trees as in RFC 9162 (ledger/merkle.py): leaves and nodes are hashed with different prefixes.

import { join, same, sha256, unhex } from "./bytes.js";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

export const leafHash = (data) => sha256(join(LEAF, data));
export const nodeHash = (left, right) => sha256(join(NODE, left, right));

/** The root over leaf hashes; an odd last one moves up as it is. */
export function rootOf(leaves) {
  if (!leaves.length) return sha256(new Uint8Array());
  let level = leaves;
  while (level.length > 1) {
    const above = [];
    for (let i = 0; i + 1 < level.length; i += 2) above.push(nodeHash(level[i], level[i + 1]));
    if (level.length % 2) above.push(level.at(-1));
    level = above;
  }
  return level[0];
}

/** The root that steps like "L<hash>" lead to. */
export function climb(leaf, path) {
  let at = leaf;
  for (const step of path) {
    const sibling = unhex(step.slice(1));
    at = step[0] === "L" ? nodeHash(sibling, at) : nodeHash(at, sibling);
  }
  return at;
}

/** Whether `path` shows that `leaf` is number `index` of `size` under `root` (RFC 9162, 2.1.3.2). */
export function isIncluded(leaf, index, size, path, root) {
  if (!(index >= 0 && index < size)) return false;
  let node = BigInt(index);
  let last = BigInt(size - 1);
  let at = leaf;
  for (const step of path) {
    const sibling = unhex(step);
    if (last === 0n || sibling.length !== 32) return false;
    if (node & 1n || node === last) {
      at = nodeHash(sibling, at);
      while (!(node & 1n) && node) {
        node >>= 1n;
        last >>= 1n;
      }
    } else at = nodeHash(at, sibling);
    node >>= 1n;
    last >>= 1n;
  }
  return last === 0n && same(at, root);
}
