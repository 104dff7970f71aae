// Words of keys and companies. [English, Greek]

import { addWords } from "../lang.js";

addWords({
  "key.key": ["Key", "Κλειδί"],
  "key.book": ["Company, by this node’s address book", "Εταιρεία, κατά το ευρετήριο του κόμβου"],
  "key.own": ["Key of this node", "Κλειδί αυτού του κόμβου"],
  "key.who": ["Who it is", "Ποιος είναι"],
  "key.address": ["Address", "Διεύθυνση"],
  "key.public": ["Public key", "Δημόσιο κλειδί"],
  "key.transactions": ["Transactions", "Συναλλαγές"],
  "key.claims-note": ["It calls itself by these names. Anyone may claim any name: nothing here vouches for it.", "Αυτοαποκαλείται έτσι. Ο καθένας μπορεί να ισχυριστεί όποιο όνομα θέλει: τίποτα εδώ δεν το εγγυάται."],
  "key.call": ["This node calls it", "Αυτός ο κόμβος το λέει"],
  "key.save": ["Save", "Αποθήκευση"],
  "key.has": ["What it owns and holds", "Τι της ανήκει και τι κρατά"],
  "key.asset": ["Asset", "Αγαθό"],
  "key.owns": ["Owns", "Κυριότητα"],
  "key.holds": ["Holds", "Κατοχή"],
  "key.nothing": ["Nothing.", "Τίποτα."],
  "key.truncated": ["There is more than was looked at.", "Υπάρχουν περισσότερα από όσα εξετάστηκαν."],
  "key.rights": ["Rights to make", "Δικαιώματα παραγωγής"],
  "key.rights-note": ["How much more it may issue or produce.", "Πόσο ακόμα μπορεί να εκδώσει ή να παράγει."],
  "key.recipe": ["under a recipe:", "με συνταγή:"],
  "key.none": ["None.", "Κανένα."],
  "key.did": ["What it did and said", "Τι έκανε και τι είπε"],
  "key.never": ["It was never seen in this ledger.", "Δεν εμφανίστηκε ποτέ σε αυτό το μητρώο."],
});
