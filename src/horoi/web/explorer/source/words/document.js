// Words of documents. [English, Greek]

import { addWords } from "../lang.js";

addWords({
  "document.document": ["Document", "Έγγραφο"],
  "document.file": ["The file", "Το αρχείο"],
  "document.note": ["Only its SHA-256 is on the ledger. Whoever keeps the file can show it, and any change shows.", "Στο μητρώο βρίσκεται μόνο το SHA-256. Όποιος κρατά το αρχείο μπορεί να το δείξει, και κάθε αλλαγή φαίνεται."],
  "document.hash": ["SHA-256", "SHA-256"],
  "document.size": ["Size", "Μέγεθος"],
  "document.unknown": ["unknown", "άγνωστο"],
  "document.state": ["At this node", "Σε αυτόν τον κόμβο"],
  "document.here": ["kept here", "βρίσκεται εδώ"],
  "document.absent": ["not here", "δεν βρίσκεται εδώ"],
  "document.fetching": ["being fetched from peers", "λαμβάνεται από ομότιμους"],
  "document.download": ["Download", "Λήψη"],
  "document.fetch": ["Find it among the peers", "Αναζήτηση στους ομότιμους"],
  "document.ask-owner": ["The node’s owner can have it fetched from peers:", "Ο ιδιοκτήτης του κόμβου μπορεί να το ζητήσει από ομότιμους:"],
  "document.posted": ["Who put it on the board", "Ποιος το ανάρτησε"],
  "document.nobody": ["Nobody did.", "Κανείς."],
  "document.block": ["Block", "Μπλοκ"],
  "document.time": ["Time", "Ώρα"],
  "document.author": ["By", "Από"],
  "document.text": ["With the words", "Με τα λόγια"],
  "document.transaction": ["Transaction", "Συναλλαγή"],
});
