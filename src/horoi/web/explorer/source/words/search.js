// Words of the search. [English, Greek]

import { addWords } from "../lang.js";

addWords({
  "search.results": ["Search:", "Αναζήτηση:"],
  "search.empty": ["Type a height, a hash, an asset, a company, a date or words of a post.", "Γράψτε ύψος, hash, αγαθό, εταιρεία, ημερομηνία ή λέξεις μιας ανάρτησης."],
  "search.nothing": ["Nothing found. All words must occur; the last may be a beginning.", "Δεν βρέθηκε τίποτα. Πρέπει να υπάρχουν όλες οι λέξεις· η τελευταία μπορεί να είναι αρχή λέξης."],
  "search.found": ["{n} found.|{n} found.", "Βρέθηκε {n}.|Βρέθηκαν {n}."],
  "search.read": ["Read as {as}.", "Διαβάστηκε ως {as}."],
  "search.things": ["In the ledger", "Στο μητρώο"],
  "search.posts": ["On the board", "Στον πίνακα"],
  "search.about": ["about {asset}", "για {asset}"],
  "search.block": ["block {height}", "μπλοκ {height}"],
  "read.height": ["a height", "ύψος"],
  "read.hash": ["a hash", "hash"],
  "read.date": ["a date", "ημερομηνία"],
  "read.words": ["words", "λέξεις"],
  "read.name": ["a name", "όνομα"],
  "read.address": ["an address", "διεύθυνση"],
  "hit.transactions": ["{n} transaction|{n} transactions", "{n} συναλλαγή|{n} συναλλαγές"],
  "hit.stale": ["not on the connected chain", "εκτός της ενεργής αλυσίδας"],
  "hit.in-block": ["in block {height}", "στο μπλοκ {height}"],
  "hit.in-mempool": ["in the mempool", "στο mempool"],
  "hit.posted": ["posted in {transaction}", "αναρτήθηκε στη συναλλαγή {transaction}"],
  "hit.block": ["block", "μπλοκ"],
  "hit.transaction": ["transaction", "συναλλαγή"],
  "hit.waiting": ["waiting", "σε αναμονή"],
  "hit.asset": ["asset", "αγαθό"],
  "hit.key": ["company or key", "εταιρεία ή κλειδί"],
  "hit.document": ["document", "έγγραφο"],
  "hit.time": ["at that time", "εκείνη την ώρα"],
});
