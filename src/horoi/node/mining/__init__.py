"""Adding blocks: choose transactions, claim the compensation, search for the nonce."""

from horoi.node.mining.machine import Miner, SetMining

__all__ = ["Miner", "SetMining"]
