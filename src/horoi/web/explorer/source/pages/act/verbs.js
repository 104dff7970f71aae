// What the owner may do here: for each verb its fields, and the body that POST /v1/wallet/... takes.
// A field is {name, kind, of, optional}; kinds are in form.js.

const blank = (text) => (text ?? "").trim() || undefined;

export const VERBS = [
  {
    name: "transfer",
    fields: [
      { name: "asset", kind: "asset", of: "owned" },
      { name: "amount", kind: "amount", of: "owned" },
      { name: "to", kind: "party" },
      { name: "along", kind: "check" },
    ],
    body: (v) => ({ asset: v.asset, amount: v.amount, to: v.to, ...(v.along && { new_custodian: v.to }) }),
  },
  {
    name: "hand-over",
    fields: [
      { name: "asset", kind: "asset", of: "owned", custody: true },
      { name: "amount", kind: "amount", of: "owned" },
      { name: "to", kind: "party" },
      { name: "reclaim", kind: "moment", optional: true },
    ],
    body: (v) => ({ asset: v.asset, amount: v.amount, to: v.to, reclaim_after: v.reclaim ? new Date(v.reclaim).getTime() : undefined }),
  },
  {
    name: "issue",
    fields: [
      { name: "asset", kind: "asset", of: "rights" },
      { name: "amount", kind: "amount", of: "rights" },
      { name: "to", kind: "party", optional: true },
    ],
    body: (v) => ({ asset: v.asset, amount: v.amount, to: blank(v.to) }),
  },
  {
    name: "post",
    fields: [
      { name: "text", kind: "text", optional: true },
      { name: "about", kind: "asset", of: "any", optional: true },
      { name: "document", kind: "file", optional: true },
    ],
    body: (v) => ({ text: (v.text ?? "").trim(), about: blank(v.about), document: v.document }),
    needs: (v) => Boolean(blank(v.text) || v.document),
  },
  {
    name: "retire",
    fields: [
      { name: "asset", kind: "asset", of: "owned" },
      { name: "amount", kind: "amount", of: "owned" },
      { name: "reason", kind: "line" },
    ],
    body: (v) => ({ asset: v.asset, amount: v.amount, reason: v.reason.trim() }),
  },
  {
    name: "define",
    fields: [
      { name: "name", kind: "line" },
      { name: "unit", kind: "line", most: 16, optional: true },
      { name: "decimals", kind: "count", most: 18 },
      { name: "limit", kind: "amount" },
      { name: "custody", kind: "check", checked: true },
    ],
    body: (v) => ({ name: v.name.trim(), unit: (v.unit ?? "").trim(), decimals: Number(v.decimals || 0), limit: v.limit, custody: Boolean(v.custody) }),
  },
];
