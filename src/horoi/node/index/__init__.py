"""What people ask of a ledger, answered without reading it from the start."""

from horoi.node.index.index import AssetRecord, Index, PostRecord, TransactionPlace

__all__ = ["AssetRecord", "Index", "PostRecord", "TransactionPlace"]
