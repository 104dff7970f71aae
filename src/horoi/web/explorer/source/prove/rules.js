// The rules that need nothing but the transaction itself (ledger/rules.py), each by its name in docs/ledger.md:
//
//   form          something is said, in text that can be shown; no input twice; no empty quantity; conditions within bounds
//   conservation  per asset: spent + issued + produced = made + consumed + retired; the coin's rest is the fee
//   rights        what is made is covered by a right that is spent, and rights only ever shrink or narrow
//   custody       an asset either has custodians everywhere or nowhere
//   agreement     authority.js
//
// An input repeats the content of what it spends, and the signed digest covers that. Whether it is true the history says: whoever
// mined the block checked it, and a proof cannot.

import { rule } from "./broken.js";
import { checkAgreement, checkWitnessForm, required } from "./authority.js";
import { checkCondition, isAscending } from "./conditions.js";
import { NATIVE } from "./transaction.js";

const U64_MAX = 2n ** 64n - 1n;
// Controls, invisible and direction marks, lone surrogates: the list of docs/ledger.md.
const UNSHOWABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]/u;

/** Every rule without history holds, and everybody agreed, in a block of this height and median time. Throws Broken. */
export function checkRules({ body, witness }, { height, timeMs }) {
  checkBody(body);
  const need = required(body);
  checkWitnessForm(need, witness);
  checkAgreement(need, witness, { height, timeMs });
}

function checkBody(body) {
  const { inputs, outputs, definitions, posts } = body;
  rule(inputs.length || definitions.length || posts.length, "form.empty", "a transaction without inputs defines or posts something");
  rule(!inputs.length || !body.since, "form.since", `since=${body.since} is for transactions without inputs`);
  const spent = new Set(inputs.map(({ source, index }) => `${source}/${index}`));
  rule(spent.size === inputs.length, "form.double_spend", "the same output is spent twice in one transaction");
  for (const { content } of inputs) checkParties(content);
  for (const made of outputs) checkOutput(made);
  for (const definition of definitions) checkDefinition(definition);
  for (const post of posts) checkPost(post);
  const hasRights = checkCustody([...inputs.map((spends) => spends.content), ...outputs]);
  checkConservation(body, hasRights);
}

function checkParties({ owner, custodian }) {
  checkCondition(owner);
  if (custodian) checkCondition(custodian);
}

function checkOutput(made) {
  checkCondition(made.owner);
  if (made.kind === "holding") {
    rule(made.quantity, "form.zero", `a holding of 0 of ${made.asset}`);
    rule(made.asset !== NATIVE || !made.custodian, "custody.coin", "the coin has no custodian");
    if (made.custodian) checkCondition(made.custodian);
  } else {
    rule(made.limit, "form.zero", `a right to make 0 of ${made.asset}`);
    for (const recipe of made.recipes) checkRecipe(made.asset, recipe);
  }
}

function checkRecipe(asset, { sources, product }) {
  const assets = sources.map((source) => source.asset);
  rule(isAscending(assets), "rights.recipe", "sources of a recipe stand in ascending order, each once");
  rule(!assets.includes(asset) && !assets.includes(NATIVE), "rights.recipe", "an asset is not made of itself, nor of the coin");
  rule(product && sources.every((source) => source.quantity), "rights.recipe", "a recipe says how much of each, and none is 0");
}

function checkDefinition({ name, unit, issuer, limit }) {
  checkCondition(issuer);
  checkText(name);
  checkText(unit);
  rule(limit, "form.zero", "a definition with a limit of 0: nothing could be made");
}

function checkPost({ author, text, document }) {
  checkCondition(author);
  checkText(text.replace(/[\n\t]/g, ""));
  rule(text || document, "form.empty", "a post says something or names a document");
}

function checkText(text) {
  const found = UNSHOWABLE.exec(text);
  rule(!found, "form.text", `character U+${found?.[0].codePointAt(0).toString(16).toUpperCase().padStart(4, "0")} cannot be shown`);
}

/** An asset has custodians everywhere or nowhere. True if there are rights among the contents. */
function checkCustody(contents) {
  const custody = new Map();
  for (const content of contents) {
    const isTracked = content.kind === "holding" ? content.custodian !== null : content.custody;
    const before = custody.get(content.asset) ?? isTracked;
    rule(before === isTracked, "custody.mixed", `asset ${content.asset} has custodians everywhere or nowhere`);
    custody.set(content.asset, isTracked);
  }
  return contents.some((content) => content.kind === "right");
}

/** Sums of quantities by asset; none leaves 64 bits. */
class Sums extends Map {
  add({ asset, quantity }) {
    const total = this.of(asset) + quantity;
    rule(total <= U64_MAX, "conservation.overflow", `a sum of asset ${asset} is over 2**64 - 1`);
    this.set(asset, total);
  }

  of(asset) {
    return this.get(asset) ?? 0n;
  }
}

function checkConservation(body, hasRights) {
  const incoming = new Sums();
  const outgoing = new Sums();
  for (const { content } of body.inputs) if (content.kind === "holding") incoming.add(content);
  for (const made of body.outputs) if (made.kind === "holding") outgoing.add(made);
  if (hasRights || body.issues.length || body.transforms.length) checkRights(body, incoming, outgoing);
  for (const retired of body.retires) {
    checkText(retired.reason);
    rule(retired.quantity && retired.asset !== NATIVE, "form.retire", "a retirement is of some quantity, and not of the coin");
    outgoing.add(retired);
  }
  const fee = incoming.of(NATIVE) - outgoing.of(NATIVE);
  rule(fee >= 0n, "conservation", `${-fee} more of the coin go out than come in`);
  for (const asset of new Set([...incoming.keys(), ...outgoing.keys()])) {
    const [came, went] = [incoming.of(asset), outgoing.of(asset)];
    rule(asset === NATIVE || came === went, "conservation", `asset ${asset}: ${came} come in or are made, ${went} go out`);
  }
}

/** Everything made is covered by a right; it is added to `incoming`, and what it consumed to `outgoing`. */
function checkRights(body, incoming, outgoing) {
  const allowances = new Map(); // asset -> list of recipes ("" is free) -> what the rights allow, less what is made under them
  const count = (asset, recipes, quantity) => {
    const under = allowances.get(asset);
    const name = recipes.length ? nameOf(recipes) : "";
    under.set(name, (under.get(name) ?? 0n) + quantity);
  };
  for (const { content } of body.inputs) {
    if (content.kind !== "right") continue;
    if (!allowances.has(content.asset)) allowances.set(content.asset, new Map());
    count(content.asset, content.recipes, content.limit);
  }
  for (const { right: number, quantity } of body.issues) {
    const { asset, recipes } = rightAt(body, number);
    rule(!recipes.length, "rights.narrow", `input ${number} is a right to transform, not to issue`);
    rule(quantity, "form.zero", "an issue of 0");
    count(asset, [], -quantity);
    incoming.add({ asset, quantity });
  }
  for (const transform of body.transforms) {
    const { asset, recipes } = rightAt(body, transform.right);
    checkTransform(recipes, transform);
    count(asset, recipes, -transform.produced);
    incoming.add({ asset, quantity: transform.produced });
    for (const amount of transform.consumed) outgoing.add(amount);
  }
  for (const made of body.outputs) {
    if (made.kind !== "right") continue;
    rule(allowances.has(made.asset), "rights.nowhere", `no right to asset ${made.asset} is spent here`);
    count(made.asset, made.recipes, -made.limit);
  }
  for (const [asset, under] of allowances) checkAllowance(asset, under);
}

const nameOf = (recipes) => recipes.map(({ sources, product }) => `${sources.map((one) => `${one.quantity} ${one.asset}`)}=${product}`).join(";");

/** A free right may cover what a narrow one lacks, never the other way round. */
function checkAllowance(asset, under) {
  const free = under.get("") ?? 0n;
  const narrow = [...under].filter(([recipes]) => recipes).map(([, rest]) => rest);
  const lacking = narrow.reduce((sum, rest) => (rest < 0n ? sum - rest : sum), 0n);
  rule(lacking <= free, "rights.exceeded", `asset ${asset}: ${lacking - free} more than the rights spent allow`);
}

function rightAt(body, number) {
  const content = body.inputs[number]?.content;
  rule(content, "rights.index", `input ${number} of ${body.inputs.length}`);
  rule(content.kind === "right", "rights.index", `input ${number} is a holding, not a right`);
  return content;
}

function checkTransform(recipes, { recipe: number, consumed, produced }) {
  const recipe = recipes[number];
  rule(recipe, "rights.recipe", `recipe ${number} of ${recipes.length}`);
  rule(produced, "form.zero", "a transformation into 0");
  const isOfRecipe = consumed.map(({ asset }) => asset).join() === recipe.sources.map(({ asset }) => asset).join();
  rule(isOfRecipe, "rights.recipe", "the consumed assets are those of the recipe, in its order");
  consumed.forEach(({ asset, quantity }, i) => {
    const enough = quantity * recipe.product >= produced * recipe.sources[i].quantity;
    rule(enough, "rights.yield", `${quantity} of ${asset} do not give ${produced}`);
  });
}
