"""Who has a document? The overlays of ``horoi.lookup`` at work inside a node.

A document is named by its hash. Its providers are found through an overlay that the nodes of a network form among themselves
(``--lookup``), or through BitTorrent's Mainline DHT (``--dht``) where there is none.

    requests      what the application and other machines of the node ask and hear
    machine       in the node's stack: tells linked peers where it speaks the overlay, keeps what is provided, asks
    overlay_peer  on a UDP port beside the node: enters the overlay, knows which node is behind an address
    messages      what both say to other nodes
    overlays      the five overlays by name, as a node runs them

The two machines have each a host of its own and hear each other through the world, by ``ToSide`` and ``FromSide``: an overlay's
peers are addresses and its messages datagrams, the node's peers are keys and its messages frames.
"""
