// Is this text an amount of this asset? Exact, in the asset's smallest unit; the ledger's quantities are 64 bits wide.

import { number, t } from "../../lang.js";

const MOST = 2n ** 64n - 1n;

/** Decimal text as whole smallest units (BigInt), or null if it is not decimal text or finer than the unit. */
export function quantityOf(text, decimals) {
  const match = /^(\d+)(?:\.(\d+))?$/.exec(text);
  if (!match || text.length > 64) return null;
  const [, whole, fraction = ""] = match;
  const spare = fraction.slice(decimals);
  if (/[1-9]/.test(spare)) return null;
  return BigInt(whole + fraction.slice(0, decimals).padEnd(decimals, "0"));
}

/** What is wrong with an amount, in words; "" if nothing is. `available`: decimal text of what there is, or null. */
export function wrongAmount(text, { decimals = 0, available = null, unit = "" } = {}) {
  if (!text) return t("wrong.empty");
  if (!/^\d+(\.\d+)?$/.test(text)) return t("wrong.digits");
  const quantity = quantityOf(text, decimals);
  if (quantity === null) return decimals ? t("wrong.decimals", { n: decimals }) : t("wrong.whole");
  if (quantity === 0n) return t("wrong.zero");
  if (quantity > MOST) return t("wrong.large");
  const there = available === null ? null : quantityOf(available, decimals);
  if (there !== null && quantity > there) return t("wrong.more", { amount: `${number(available)} ${unit}`.trim() });
  return "";
}
