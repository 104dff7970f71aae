// A link that does not hold: its name (words: prove.link.NAME), what it is of, and what was found.

export class Broken extends Error {
  constructor(link, detail, values = {}) {
    super(detail);
    this.link = link;
    this.values = values;
  }
}

export function need(holds, link, detail, values) {
  if (!holds) throw new Broken(link, detail, values);
}

/** A rule of the ledger has to hold (words: rule.NAME); if not, the link that is broken is "rules". */
export function rule(holds, name, detail) {
  need(holds, "rules", detail, { rule: name });
}
