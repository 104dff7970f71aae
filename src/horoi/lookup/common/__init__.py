"""What the rooms of lookup really share: the wire form of ids, requests under way, what a peer keeps for others, rates."""
