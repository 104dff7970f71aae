// Words of the charts. [English, Greek]

import { addWords } from "../lang.js";

addWords({
  "charts.title": ["Charts", "Διαγράμματα"],
  "charts.span": ["Which blocks", "Ποια μπλοκ"],
  "charts.last": ["last {n}|last {n}", "τελευταίο {n}|τελευταία {n}"],
  "charts.all": ["all", "όλα"],
  "charts.height": ["Height", "Ύψος"],
  "charts.time": ["Time", "Ώρα"],
  "charts.mean": ["mean {mean}, now {last}", "μέση τιμή {mean}, τώρα {last}"],
  "charts.nothing": ["This node has not seen any yet.", "Ο κόμβος δεν έχει δει κάτι ακόμα."],
  "charts.rate_per_s": ["Transactions per second", "Συναλλαγές ανά δευτερόλεπτο"],
  "charts.rate_per_s-note": ["Confirmed, by the blocks’ own times.", "Επιβεβαιωμένες, κατά τις ώρες των μπλοκ."],
  "charts.confirmation_ms": ["Time to confirmation", "Χρόνος επιβεβαίωσης"],
  "charts.confirmation_ms-note": ["From reaching this node to standing in a block.", "Από την άφιξη στον κόμβο ως την είσοδο σε μπλοκ."],
  "charts.interval_ms": ["Between blocks", "Μεταξύ μπλοκ"],
  "charts.interval_ms-note": ["Difficulty is moved so that this stays near the network’s interval.", "Η δυσκολία μεταβάλλεται ώστε αυτό να μένει κοντά στο διάστημα του δικτύου."],
  "charts.difficulty": ["Difficulty", "Δυσκολία"],
  "charts.difficulty-note": ["Hashes that a block takes on average.", "Hash που απαιτεί ένα μπλοκ κατά μέσο όρο."],
  "charts.stale": ["Stale blocks", "Μπλοκ εκτός αλυσίδας"],
  "charts.stale-note": ["Blocks that lost against another of their height.", "Μπλοκ που έχασαν από άλλο στο ίδιο ύψος."],
  "charts.transactions": ["Transactions", "Συναλλαγές"],
  "charts.transactions-note": ["In the blocks of each point.", "Στα μπλοκ κάθε σημείου."],
});
