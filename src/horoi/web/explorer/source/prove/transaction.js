// The records of a transaction (ledger/transaction.py): field for field, with the same bounds.

import { bytes, bool, hash, list, orNull, quantity, record, text, union, whole } from "./shapes.js";
import { hex } from "./bytes.js";
import { encode } from "./msgpack.js";

export const MAX_TRANSACTION_SIZE_BYTES = 100_000;
export const MAX_REWARD_SIZE_BYTES = 1_000_000; // of a genesis with 10,000 grants
export const NATIVE = "00".repeat(32); // the coin
const MAX_VERBS = 100;
const MAX_MEMBERS = 16;

const index = whole(0, 2 ** 16 - 1);
const parts = list((value) => conditionShape(value), MAX_MEMBERS, 2);
const conditionShape = union({
  0: ["key", { public: hash }],
  1: ["threshold", { needed: whole(1, MAX_MEMBERS), keys: list(hash, MAX_MEMBERS, 1) }],
  2: ["afterHeight", { height: whole(1, 2 ** 32 - 1) }],
  3: ["afterTime", { timeMs: whole(1, 2 ** 53) }],
  4: ["preimage", { digest: hash }],
  5: ["allOf", { parts }],
  6: ["anyOf", { parts }],
});

/** A condition with its `name`, its own bytes: conditions that differ in a byte are different parties. */
const condition = (value) => ({ ...conditionShape(value), name: hex(encode(value)) });

const amounts = list(record({ asset: hash, quantity }), 8, 1);
const recipes = list(record({ sources: amounts, product: quantity }), 8);
const holding = { asset: hash, quantity, owner: condition, custodian: orNull(condition) };
const right = { asset: hash, limit: quantity, owner: condition, custody: bool, recipes };

/** What a transaction makes and spends. */
export const output = union({ 0: ["holding", holding], 1: ["right", right] });

/** What a block's reward, or the genesis's grants, are: holdings. */
export const reward = list(union({ 0: ["holding", holding] }), Infinity);

const definition = record({
  name: text(1, 64),
  unit: text(0, 16),
  decimals: whole(0, 18),
  issuer: condition,
  limit: quantity,
  custody: bool,
  terms: orNull(hash),
});

const transform = record({ right: index, recipe: whole(0, 7), consumed: amounts, produced: quantity });

export const body = record({
  inputs: list(record({ source: hash, index, content: output }), 1_000),
  outputs: list(output, 1_000),
  definitions: list(definition, MAX_VERBS),
  issues: list(record({ right: index, quantity }), MAX_VERBS),
  transforms: list(transform, MAX_VERBS),
  retires: list(record({ asset: hash, quantity, reason: text(1, 64) }), MAX_VERBS),
  posts: list(record({ author: condition, text: text(0, 2_000), about: orNull(hash), document: orNull(hash) }), MAX_VERBS),
  since: whole(0, 2 ** 32 - 1),
});

export const witness = record({
  signatures: list(record({ key: hash, signature: bytes(64) }), 1_000),
  preimages: list(bytes(0, 64), MAX_MEMBERS),
});
