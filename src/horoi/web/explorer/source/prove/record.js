// What a block records: a transaction with its witness, or a reward; its id, its signatures, its outputs.

import { schnorr } from "@noble/curves/secp256k1.js";
import { big, hex, join, tagged, unhex } from "./bytes.js";
import { need } from "./broken.js";
import { rewardId } from "./genesis.js";
import { leafHash } from "./merkle.js";
import { decode, encode, split } from "./msgpack.js";
import { checkRules } from "./rules.js";
import { MAX_REWARD_SIZE_BYTES, MAX_TRANSACTION_SIZE_BYTES, body as bodyShape, output as outputShape, reward as rewardShape, witness as witnessShape } from "./transaction.js";

const [OUTPUTS, DEFINITIONS] = [1, 2]; // places in a body
const [ISSUER, LIMIT, CUSTODY] = [3, 4, 5]; // and in a definition
const assetHash = tagged("horoi/asset");

export const assetId = (transaction, number) => hex(assetHash(join(transaction, big(number, 2))));

function parsed(link, most, bytes, read) {
  need(bytes.length <= most, link, `${bytes.length} bytes, the limit is ${most}`);
  try {
    return read();
  } catch (error) {
    return need(false, link, error.message);
  }
}

/** A transaction from its bytes; what is in it, by name. */
export function readTransaction(bytes, network) {
  return parsed("transaction", MAX_TRANSACTION_SIZE_BYTES, bytes, () => {
    const [bodyBytes, witnessBytes, ...more] = split(bytes);
    if (!witnessBytes || more.length) throw new TypeError("not a body and a witness");
    const fields = decode(bodyBytes);
    const body = bodyShape(fields);
    const witness = witnessShape(decode(witnessBytes));
    const id = tagged("horoi/transaction", network)(bodyBytes);
    const rights = fields[DEFINITIONS].map((d, i) => encode([1, unhex(assetId(id, i)), d[LIMIT], d[ISSUER], d[CUSTODY], []]));
    return { id, body, witness, witnessBytes, outputs: [...split(split(bodyBytes)[OUTPUTS]), ...rights], signers: witness.signatures.map(({ key }) => key) };
  });
}

/** A reward (of block 0: the grants) from its bytes. */
export function readReward(bytes, network, height) {
  return parsed("reward", MAX_REWARD_SIZE_BYTES, bytes, () => {
    rewardShape(decode(bytes));
    return { id: rewardId(network, height, bytes), body: null, witness: null, witnessBytes: new Uint8Array(), outputs: split(bytes), signers: [] };
  });
}

export const contentLeaf = (firstOutput, record) => leafHash(join(big(firstOutput, 8), record.id, record.witnessBytes));

/** Every BIP 340 signature is valid over the transaction's id. */
export function checkSignatures(record) {
  for (const { key, signature } of record.witness?.signatures ?? []) {
    let isValid = false;
    try {
      isValid = schnorr.verify(signature, record.id, unhex(key));
    } catch {
      isValid = false; // the key is no point of the curve
    }
    need(isValid, "signature", `is not valid over ${hex(record.id)}`, { key });
  }
}

/** Everybody agreed who had to, in a block of this height and median time, and every rule without history holds. */
export function checkAgreed(record, { height, timeMs }) {
  if (record.body) checkRules(record, { height, timeMs });
}

/** An output in plain values: what, how much, whose. */
export function outputOf(bytes) {
  const { kind, asset, quantity, limit, owner, custodian = null } = outputShape(decode(bytes));
  return { kind, asset, quantity: String(quantity ?? limit), owner, custodian };
}
