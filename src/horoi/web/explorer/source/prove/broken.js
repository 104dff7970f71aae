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
