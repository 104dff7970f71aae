"""Peers of a network, found in BitTorrent's Mainline DHT: so a new node needs no list of addresses (see ``machine``)."""
