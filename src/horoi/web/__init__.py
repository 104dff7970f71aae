"""The node's front door for people and programs: JSON over HTTP, a live stream, metrics.

    model/      the records that go over the wire, and nothing else (``horoi.client`` reads the same ones)
    access.py   what the handlers need of a node
    routes/     the handlers, and the one table of endpoints that routes and the OpenAPI document are made from
    views.py    ledger records in words, hexadecimal and decimal
    agreed.py   what signers agree to, in parts, for pages in any language
    stream.py   server-sent events
    metrics.py  what Prometheus scrapes
    explorer/   the pages in the browser, at ``/``
    guard.py    who may ask, how much, and for how long
    server.py   uvicorn inside the node's own event loop

The rules of the wire: hashes, ids and keys are lowercase hexadecimal, keys also an address; quantities and other numbers
that may pass 2**53 are strings of digits, with the amount in the asset's unit beside them; times are milliseconds since 1970
and RFC 3339; an error is a problem document (RFC 9457) whose ``rule`` names the ledger's rule that broke.
"""
