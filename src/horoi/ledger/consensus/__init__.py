"""Distributed consensus: all use the same history. A choice of order, separate from what a transaction means."""
