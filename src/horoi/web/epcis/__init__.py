"""GS1's REST binding of EPCIS 2.0 under ``/epcis/v2`` (openapi.json of gs1/EPCIS, version 2.0.0).

It speaks the standard's own words: its headers, its names of exceptions, its documents. So it is not in the table of the
node's own endpoints, whose problems and parameters are Horoi's.

    binding.py         headers, versions, problem documents
    paging.py          pages and their tokens
    service.py         the store behind a thread, and what happens to a capture
    moving.py          events that move what the ledger knows
    capture.py         /capture
    events.py          /events, and the events of every resource
    resources.py       /epcs, /bizSteps, ... and their values
    queries.py         /queries
    subscriptions.py   who is told of new events, and telling them
    sockets.py         the same over a WebSocket
    table.py           all routes
"""
