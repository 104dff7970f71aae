"""Headers first, then blocks from many peers: how a node comes to hold the heaviest chain and stays on it."""
