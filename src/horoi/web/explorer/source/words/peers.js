// Words of the overlay. [English, Greek]

import { addWords } from "../lang.js";
import "./board.js";

addWords({
  "peers.title": ["Peers", "Ομότιμοι"],
  "peers.overlay": ["The overlay", "Το δίκτυο επικάλυψης"],
  "peers.note": ["Lines are links, as thick as their traffic; faint ones are addresses that a peer told of. {n} address is known.|Lines are links, as thick as their traffic; faint ones are addresses that a peer told of. {n} addresses are known.", "Οι γραμμές είναι σύνδεσμοι, με πάχος ανάλογο της κίνησης· οι αχνές, διευθύνσεις που ανέφερε κάποιος. Γνωστή {n} διεύθυνση.|Οι γραμμές είναι σύνδεσμοι, με πάχος ανάλογο της κίνησης· οι αχνές, διευθύνσεις που ανέφερε κάποιος. Γνωστές {n} διευθύνσεις."],
  "peers.caption": ["{n} link|{n} links", "{n} σύνδεσμος|{n} σύνδεσμοι"],
  "peers.aria": ["This node and its {n} peer; the table has the figures|This node and its {n} peers; the table has the figures", "Ο κόμβος και {n} ομότιμος· ο πίνακας έχει τα στοιχεία|Ο κόμβος και {n} ομότιμοι· ο πίνακας έχει τα στοιχεία"],
  "peers.linked": ["Linked now", "Συνδεδεμένοι τώρα"],
  "peers.node": ["Node", "Κόμβος"],
  "peers.state": ["State", "Κατάσταση"],
  "peers.height": ["Height", "Ύψος"],
  "peers.tip": ["Tip", "Κορυφή"],
  "peers.latency": ["Latency", "Καθυστέρηση"],
  "peers.traffic": ["Traffic", "Κίνηση"],
  "peers.gave": ["First with", "Πρώτος σε"],
  "peers.blocks": ["{n} block|{n} blocks", "{n} μπλοκ|{n} μπλοκ"],
  "peers.transactions": ["{n} transaction|{n} transactions", "{n} συναλλαγή|{n} συναλλαγές"],
  "peers.link": ["Link", "Σύνδεσμος"],
  "peers.outbound": ["dialed by us", "τον καλέσαμε"],
  "peers.inbound": ["dialed us", "μας κάλεσε"],
  "peers.points": ["Misbehaviour", "Παραπτώματα"],
  "peers.dial": ["Link to a peer", "Σύνδεση με ομότιμο"],
  "peers.address": ["Address", "Διεύθυνση"],
  "peers.dial-go": ["Dial", "Κλήση"],
  "peers.dialing": ["Dialing {address}; it appears above when it is linked.", "Κλήση {address}· θα εμφανιστεί παραπάνω όταν συνδεθεί."],
});
