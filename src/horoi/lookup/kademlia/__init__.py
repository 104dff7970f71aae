"""Kademlia (Maymounkov and Mazieres 2002), which also joins BitTorrent's Mainline DHT. See ``machine``."""
