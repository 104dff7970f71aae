"""EPCIS 2.0 and CBV 2.0 (GS1, ISO/IEC 19987 and 19988): the language in which supply chains tell each other what happened.

An *event* says what (EPCs: single things; classes with a quantity), when, where (read point, business location), why (business
step, disposition, documents, parties) and how (sensors). Its *event hash id* is the same for whoever writes it down, in
whichever order and spelling, so it can be signed and anchored in a ledger while the payload stays with its owner.

This room reads, checks and hashes documents, evaluates the standard's queries over one event, and says what an event means for
quantities. It does no I/O; ``horoi.node.epcis`` keeps events.

    vocabulary.py    names that the standards define: event types, business steps, dispositions, namespaces
    times.py         date-times with offset, to UTC milliseconds
    gs1.py           GS1 keys: EPC URNs and Digital Link URIs, check digits, the canonical form
    patterns.py      EPC patterns: what a name with * stands for
    units.py         units of measure of the same kind
    context.py       JSON-LD prefixes
    document.py      bytes in, events out, bounded
    kinds.py         what one value may be
    shapes.py        which fields an event has
    check.py         every fault of a document, with its JSON pointer
    rules.py         what must and must not stand together
    tree.py          an event as the tree that is hashed
    canonical.py     the pre-hash string and the event hash id
    facts.py         what can be asked of an event
    conditions.py    what a query asks of facts
    query.py         the query language: parameters to conditions
    schedule.py      when a standing query is asked
    movement.py      what an event means for quantities of assets
"""
