// What a block records: a transaction with its witness, or a reward; its id, its signatures, its outputs.

import { schnorr } from "@noble/curves/secp256k1.js";
import { big, hex, join, tagged } from "./bytes.js";
import { need } from "./broken.js";
import { leafHash } from "./merkle.js";
import { decode, encode, split } from "./msgpack.js";
import { rewardId } from "./genesis.js";

const BODY = { inputs: 0, outputs: 1, definitions: 2, posts: 6 };
const assetHash = tagged("horoi/asset");

export const assetId = (transaction, number) => assetHash(join(transaction, big(number, 2)));

function parsed(link, read) {
  try {
    return read();
  } catch (error) {
    return need(false, link, error.message);
  }
}

/** A transaction from its bytes; what is in it, by name. */
export function readTransaction(bytes, network) {
  const [bodyBytes, witnessBytes, ...more] = parsed("transaction", () => split(bytes));
  const { body, witness } = parsed("transaction", () => ({ body: decode(bodyBytes), witness: decode(witnessBytes) }));
  need(!more.length && body?.length === 8 && witness?.length === 2, "transaction", "not the bytes of a transaction");
  const id = tagged("horoi/transaction", network)(bodyBytes);
  const definitions = body[BODY.definitions];
  const made = parsed("transaction", () => split(split(bodyBytes)[BODY.outputs]));
  const rights = definitions.map((d, i) => encode([1, assetId(id, i), d[4], d[3], d[5], []]));
  return { id, body, witness, witnessBytes, outputs: [...made, ...rights], definitions, posts: body[BODY.posts], signers: witness[0].map(([key]) => key) };
}

/** A reward (of block 0: the grants) from its bytes. */
export function readReward(bytes, network, height) {
  const outputs = parsed("reward", () => split(bytes));
  return { id: rewardId(network, height, bytes), body: null, witness: null, witnessBytes: new Uint8Array(), outputs, definitions: [], posts: [], signers: [] };
}

export const contentLeaf = (firstOutput, record) => leafHash(join(big(firstOutput, 8), record.id, record.witnessBytes));

/** BIP 340 signatures over the transaction's id. */
export function checkSignatures(record) {
  for (const [key, signature] of record.witness?.[0] ?? []) {
    let isValid = false;
    try {
      isValid = schnorr.verify(signature, record.id, key);
    } catch {
      isValid = false; // not a point of the curve, or of another length
    }
    need(isValid, "signature", `of ${hex(key)} is not valid over ${hex(record.id)}`, { key: hex(key) });
  }
}

/** An output in plain values: what, how much, whose. */
export function outputOf(bytes) {
  const [kind, asset, quantity, owner, custodian] = decode(bytes);
  return { kind: kind === 0 ? "holding" : "right", asset: hex(asset), quantity: String(quantity), owner, custodian: kind === 0 ? custodian : null };
}
