// Who must agree (ledger/authority.py, which argues why): judged of each asset on the net movement of every pair (owner, custodian).
//
//   a change of owner needs the owner; a change of custodian the one who leaves and the one who receives
//   an owner whose total changed agrees if a holding of his is spent; his custodians, if what they keep for such owners changed
//   for an owner whose total stayed, the custodian of every pair that changed agrees
//   a pair that was only split or merged needs its owner; a right, a definition, a post: who has, issues, wrote it
//
// Owning and leaving is acting, where locks that have run out count; receiving is judged as if none had.

import { hex, sha256 } from "./bytes.js";
import { rule } from "./broken.js";
import { hashesNamed, isAscending, keysNamed, satisfied } from "./conditions.js";

/** {acting, receiving}: the conditions that have to be satisfied, each once, by name, in order of appearance. */
export function required(body) {
  const need = { acting: new Map(), receiving: new Map() };
  const movements = new Map(); // asset -> name of the pair -> { owner, custodian, change, isSpent }
  const move = ({ asset, owner, custodian }, change, isSpent) => {
    if (!movements.has(asset)) movements.set(asset, new Map());
    const pairs = movements.get(asset);
    const name = `${owner.name}/${custodian.name}`;
    const before = pairs.get(name) ?? { owner, custodian, change: 0n, isSpent: false };
    pairs.set(name, { ...before, change: before.change + change, isSpent: before.isSpent || isSpent });
  };
  for (const { content } of body.inputs) {
    if (content.custodian) move(content, -content.quantity, true);
    else add(need.acting, content.owner);
  }
  for (const made of body.outputs) if (made.custodian) move(made, made.quantity, false);
  for (const pairs of movements.values()) judge([...pairs.values()], need);
  for (const { issuer } of body.definitions) add(need.acting, issuer);
  for (const { author } of body.posts) add(need.acting, author);
  return need;
}

const add = (conditions, condition) => conditions.set(condition.name, condition);

/** Adds who must agree to the movement of one asset. */
function judge(pairs, { acting, receiving }) {
  const owned = sums(pairs, "owner");
  const isOwnerChanged = ({ owner }) => owned.get(owner.name).change !== 0n;
  for (const pair of pairs) {
    const isTouched = pair.change === 0n || (isOwnerChanged(pair) && pair.isSpent);
    if (isTouched) add(acting, pair.owner);
    else if (isOwnerChanged(pair)) continue; // a gift: nobody's leave is asked but the custodian's, below
    else if (pair.change < 0n) add(acting, pair.custodian);
    else add(receiving, pair.custodian);
  }
  const kept = sums(pairs.filter(isOwnerChanged), "custodian");
  for (const { party, change } of kept.values()) {
    if (change < 0n) add(acting, party);
    else if (change > 0n) add(receiving, party);
  }
}

/** The net movement of each owner, or of each custodian. */
function sums(pairs, role) {
  const found = new Map();
  for (const { [role]: party, change } of pairs) found.set(party.name, { party, change: (found.get(party.name)?.change ?? 0n) + change });
  return found;
}

/** In order, each once, and nothing that nobody asked for. */
export function checkWitnessForm({ acting, receiving }, { signatures, preimages }) {
  const conditions = [...acting.values(), ...receiving.values()];
  const named = new Set(conditions.flatMap(keysNamed));
  const hashes = new Set(conditions.flatMap(hashesNamed));
  signatures.forEach(({ key }, i) => {
    rule(!i || signatures[i - 1].key < key, "witness.order", `signature of ${key} is out of order or there twice`);
    rule(named.has(key), "witness.stranger", `nobody asked for a signature of ${key}`);
  });
  rule(isAscending(preimages.map(hex)), "witness.order", "preimages are out of order or there twice");
  for (const preimage of preimages) {
    const digest = hex(sha256(preimage));
    rule(hashes.has(digest), "witness.stranger", `nobody asked for a preimage of ${digest}`);
  }
}

/** Everybody agreed who must, in a block of this height and median time. Counts signatures as given; record.js checks them. */
export function checkAgreement({ acting, receiving }, { signatures, preimages }, { height, timeMs }) {
  const given = { signers: new Set(signatures.map(({ key }) => key)), shown: new Set(preimages.map((preimage) => hex(sha256(preimage)))) };
  const lacking = [
    ...[...acting.values()].filter((condition) => !satisfied(condition, { ...given, height, timeMs })),
    ...[...receiving.values()].filter((condition) => !satisfied(condition, { ...given, height: -1, timeMs: -1 })),
  ];
  const names = lacking.slice(0, 3).map(describe).join(", ");
  rule(!lacking.length, "authority.missing", `${lacking.length} agreement(s) missing: ${names}`);
}

function describe(condition) {
  const keys = keysNamed(condition);
  if (condition.kind === "key") return `the signature of ${keys[0]}`;
  return `a condition of ${keys.length} key(s) ${keys.slice(0, 3).map((key) => key.slice(0, 16)).join(", ")}`;
}
