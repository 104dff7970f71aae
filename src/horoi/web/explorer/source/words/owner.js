// Words of the owner's token. [English, Greek]

import { addWords } from "../lang.js";

addWords({
  "owner.title": ["For the node’s owner", "Για τον ιδιοκτήτη του κόμβου"],
  "owner.note": ["What follows signs with this node’s keys. Show its token: the content of the file api-token in the node’s folder. It is kept in this tab only, until you close it.", "Όσα ακολουθούν υπογράφονται με τα κλειδιά του κόμβου. Δώστε το token του: το περιεχόμενο του αρχείου api-token στον φάκελο του κόμβου. Μένει μόνο σε αυτή την καρτέλα, ώσπου να την κλείσετε."],
  "owner.token": ["Token", "Token"],
  "owner.take": ["Go on", "Συνέχεια"],
  "owner.form": ["A token is 64 letters and digits: 0-9, a-f.", "Το token έχει 64 γράμματα και ψηφία: 0-9, a-f."],
  "owner.forget": ["Forget the token", "Διαγραφή του token"],
});
