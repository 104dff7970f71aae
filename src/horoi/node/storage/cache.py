"""A write-back cache in front of a store: changes gather in a dict and go down in one atomic batch.

Most holdings are short-lived: what is created and spent between two flushes never touches the disk (Bitcoin Core's coins
cache, ``CCoinsViewCache``, has the same two marks, dirty and fresh). The batch carries the marker of the best block, so
the store is always the state at exactly one block, whenever the power fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from horoi.machine.disk import Store


class CachedStore:
    """A dict over a store.

    ``changes`` holds what differs from the store: a value, or None for deleted. ``fresh`` holds the keys of ``changes``
    that the store below does not have. Hot paths may use both directly, with the rules of ``put`` and ``delete``; both stay
    the same objects for the life of the cache. The caller flushes when ``full``, between blocks; nothing is flushed
    unasked.
    """

    def __init__(self, store: Store, max_changes: int) -> None:
        if max_changes < 1:
            raise ValueError(f"max_changes: {max_changes}; at least 1")
        self.store = store
        self.max_changes = max_changes
        self.changes: dict[bytes, bytes | None] = {}
        self.fresh: set[bytes] = set()

    @property
    def full(self) -> bool:
        """Whether it is time to flush."""
        return len(self.changes) >= self.max_changes

    def get(self, key: bytes) -> bytes | None:
        """The value now, or None."""
        if key in self.changes:
            return self.changes[key]
        return self.store.get(key)

    def put(self, key: bytes, value: bytes, *, is_fresh: bool = False) -> None:
        """Set a value. ``is_fresh`` says that the store has no such key (a new transaction's output, say).

        A false claim leaves an old value in the store when the key is deleted before the flush.
        """
        if is_fresh and key not in self.changes:
            self.fresh.add(key)
        self.changes[key] = value

    def delete(self, key: bytes) -> None:
        """Delete; an absent key is fine. A fresh key is forgotten, and the store never hears of it."""
        if key in self.fresh:
            self.fresh.discard(key)
            del self.changes[key]
        else:
            self.changes[key] = None

    def items(self, start: bytes = b"", stop: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Pairs from ``start`` (included) to ``stop`` (excluded), ascending, changes seen. Do not change while iterating."""
        above = sorted(k for k in self.changes if start <= k and (stop is None or k < stop))
        upper = iter(above)
        key = next(upper, None)
        for below_key, below_value in self.store.items(start, stop):
            while key is not None and key < below_key:
                yield from self._present(key)
                key = next(upper, None)
            if key == below_key:
                yield from self._present(below_key)
                key = next(upper, None)
            else:
                yield below_key, below_value
        while key is not None:
            yield from self._present(key)
            key = next(upper, None)

    def items_down(self, start: bytes = b"", stop: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """The same pairs, descending."""
        below = self.store.items_down(start, stop)
        upper = iter(sorted((k for k in self.changes if start <= k and (stop is None or k < stop)), reverse=True))
        key = next(upper, None)
        for below_key, below_value in below:
            while key is not None and key > below_key:
                yield from self._present(key)
                key = next(upper, None)
            if key == below_key:
                yield from self._present(below_key)
                key = next(upper, None)
            else:
                yield below_key, below_value
        while key is not None:
            yield from self._present(key)
            key = next(upper, None)

    def _present(self, key: bytes) -> Iterator[tuple[bytes, bytes]]:
        value = self.changes[key]
        if value is not None:
            yield key, value

    def flush(self, extra: Mapping[bytes, bytes | None], *, sync: bool = True) -> None:
        """Write all changes and ``extra`` (the marker) in one atomic batch, durable with ``sync``.

        If the store refuses, nothing is lost here and the flush can be tried again.
        """
        self.store.write({**self.changes, **extra}, sync=sync)
        self.changes.clear()
        self.fresh.clear()

    def discard(self) -> None:
        """Forget every change since the last flush."""
        self.changes.clear()
        self.fresh.clear()

    def close(self) -> None:
        """Close the store. Changes that were not flushed are lost, as in a crash."""
        self.discard()
        self.store.close()
