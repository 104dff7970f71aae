// One dictionary, two languages. A word is added with both at once, [English, Greek], so neither can be forgotten;
// numbers, dates and durations are written by Intl.
//
//   addWords({ "block.count": ["{n} block|{n} blocks", "{n} μπλοκ|{n} μπλοκ"] })
//   t("block.count", { n: 3 })                                    a string: "3 blocks"
//   say("moved", { who: html`<a ...>`, amount: "5 bbl" })          the same with elements inside: a list of children
//
// "one|other" is chosen by `n`, which is then written as a number.

import { lang } from "./store.js";

export const LANGUAGES = ["en", "el"];
const words = new Map();

export function addWords(entries) {
  for (const [key, pair] of Object.entries(entries)) words.set(key, pair);
}

/** All words, for the tests: key -> [English, Greek]. */
export const allWords = () => Object.fromEntries(words);

function pattern(key, values) {
  const pair = words.get(key);
  if (!pair) return key;
  const text = pair[LANGUAGES.indexOf(lang.get())] ?? pair[0];
  if (values?.n === undefined || !text.includes("|")) return text;
  const forms = text.split("|");
  return new Intl.PluralRules(lang.get()).select(Number(values.n)) === "one" ? forms[0] : forms.at(-1);
}

const shown = (name, value) => (name === "n" && typeof value === "number" ? number(value) : value);

export function t(key, values) {
  return pattern(key, values).replace(/\{(\w+)\}/g, (whole, name) => String(shown(name, values?.[name] ?? whole)));
}

/** Whether there is such a word: for names that come from the node (kinds of events, reasons). */
export const has = (key) => words.has(key);

/** The word for a name that comes from the node, or the name itself. */
export const named = (prefix, name) => (has(`${prefix}.${name}`) ? t(`${prefix}.${name}`) : String(name));

export function say(key, values) {
  return pattern(key, values)
    .split(/\{(\w+)\}/)
    .map((part, i) => (i % 2 ? shown(part, values?.[part] ?? `{${part}}`) : part))
    .filter((part) => part !== "");
}

// ---- numbers, dates, durations ------------------------------------------------------------------------------

const made = new Map();
function formatter(kind, options) {
  const key = `${kind}/${lang.get()}/${JSON.stringify(options)}`;
  if (!made.has(key)) made.set(key, new Intl[kind](lang.get() === "el" ? "el-GR" : "en-GB", options));
  return made.get(key);
}

/** A number. Text of digits is written exactly, however long it is. */
export const number = (value, options = {}) => formatter("NumberFormat", { maximumFractionDigits: 20, ...options }).format(value);

export const percent = (share, digits = 1) => number(share, { style: "percent", maximumFractionDigits: digits });

/** 12,345,678 as 12.3M. */
export const compact = (value) => number(Number(value), { notation: "compact", maximumFractionDigits: 1 });

export function bytes(value) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  let size = Number(value);
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  const digits = unit && size < 100 ? 1 : 0;
  return number(size, { style: "unit", unit: units[unit], unitDisplay: unit ? "short" : "long", maximumFractionDigits: digits });
}

export const dateTime = (ms) => formatter("DateTimeFormat", { dateStyle: "medium", timeStyle: "medium" }).format(ms);
export const clock = (ms) => formatter("DateTimeFormat", { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false }).format(ms);
export const day = (ms) => formatter("DateTimeFormat", { dateStyle: "long" }).format(ms);

/** "3 minutes ago". */
export function ago(ms, now = Date.now()) {
  const seconds = Math.min(0, (ms - now) / 1000);
  const format = formatter("RelativeTimeFormat", { numeric: "auto", style: "short" });
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (-seconds >= size) return format.format(Math.ceil(seconds / size), unit);
  }
  return format.format(Math.ceil(seconds), "second");
}

/** A length of time: 850 ms, 2.4 s, 12 min. */
export function duration(ms) {
  const [unit, size] = [["day", 86400e3], ["hour", 3600e3], ["minute", 60e3], ["second", 1e3]].find(([, s]) => ms >= s) ?? ["millisecond", 1];
  const value = ms / size;
  return number(value, { style: "unit", unit, unitDisplay: "narrow", maximumFractionDigits: value < 10 ? 1 : 0 });
}

/** Names in a sentence: "a, b and c". */
export const list = (names) => formatter("ListFormat", { type: "conjunction" }).format(names);
