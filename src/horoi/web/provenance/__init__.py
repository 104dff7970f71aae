"""Provenance: the flow of an asset through its transactions, and whether the books meet."""
