"""One block on its way into the state: outputs made and spent, inputless transactions remembered, bits turned; or taken back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from horoi.base.codec import encode
from horoi.base.errors import RuleError
from horoi.ledger.authority import check_agreement
from horoi.ledger.block import reward_id
from horoi.ledger.state import INPUTLESS_WINDOW, Prepared
from horoi.ledger.transaction import Holding, Input, Output, outputs_made

if TYPE_CHECKING:
    from horoi.ledger.ledger import Ledger


class Step:
    """One block on its way into the state; can be taken back at any point."""

    def __init__(self, ledger: Ledger, height: int, median_time_ms: int) -> None:
        self.ledger = ledger
        self.entries = ledger.entries
        self.height = height
        self.median_time_ms = median_time_ms
        self.outputs_before = ledger.bits.count
        self.next_output = ledger.bits.count
        self.removed: list[tuple[bytes, bytes]] = []
        self.added: list[bytes] = []
        self.spent: list[int] = []
        self.inputless: list[bytes] = []
        self.fees = 0
        self._bits_applied = False

    def reward(self, reward: Sequence[Holding]) -> None:
        item = reward_id(self.ledger.network, self.height, reward)
        self._make(item, reward, is_reward=True)

    def transaction(self, item: Prepared) -> None:
        body = item.transaction.body
        check_agreement(item.need, item.transaction.witness, self.height, self.median_time_ms)
        if body.inputs:
            for spent in body.inputs:
                self._spend(spent)
        else:
            self.ledger.check_inputless(item, self.height)
            self._put(b"i" + item.id, self.height.to_bytes(4, "big"))
            self.inputless.append(item.id)
        self._make(item.id, outputs_made(item.id, body), is_reward=False)
        self.fees += item.fee

    def finish(self) -> None:
        """Remember the inputless, forget those that left their window, turn the bits."""
        if self.inputless:
            self._put(b"w" + self.height.to_bytes(4, "big"), b"".join(self.inputless))
        if self.height > INPUTLESS_WINDOW:
            old = b"w" + (self.height - INPUTLESS_WINDOW).to_bytes(4, "big")
            ids = self.entries.get(old)
            if ids is not None:
                for start in range(0, len(ids), 32):
                    self._remove(b"i" + ids[start : start + 32])
                self._remove(old)
        bits = self.ledger.bits
        bits.append(self.next_output - self.outputs_before)
        bits.spend(self.spent)
        self._bits_applied = True
        self.ledger.touch(self.spent)
        self.ledger.touch_from(self.outputs_before)

    def take_back(self) -> None:
        """Leave the state as it was before the step."""
        for key in self.added:
            self.entries.delete(key)
        added = dict.fromkeys(self.added)
        for key, value in self.removed:
            if key not in added:
                self.entries.put(key, value)
        if self._bits_applied:
            self.ledger.bits.truncate(self.outputs_before)
            self.ledger.bits.restore(number for number in self.spent if number < self.outputs_before)

    def _make(self, item: bytes, outputs: Sequence[Output], *, is_reward: bool) -> None:
        head = self.height.to_bytes(4, "big") + (b"\x01" if is_reward else b"\x00")
        number = self.next_output
        prefix = b"o" + item
        put, added = self.entries.put, self.added
        for index, made in enumerate(outputs):
            key = prefix + index.to_bytes(2, "big")
            put(key, number.to_bytes(5, "big") + head + encode(made))
            added.append(key)
            number += 1
        self.next_output = number

    def _spend(self, spent: Input) -> None:
        key = b"o" + spent.source + spent.index.to_bytes(2, "big")
        value = self.entries.get(key)
        self.ledger.check_spend(spent, value, self.height)
        assert value is not None
        self.entries.delete(key)
        self.removed.append((key, value))
        self.spent.append(int.from_bytes(value[:5], "big"))

    def _put(self, key: bytes, value: bytes) -> None:
        self.entries.put(key, value)
        self.added.append(key)

    def _remove(self, key: bytes) -> None:
        value = self.entries.get(key)
        if value is None:
            raise RuleError("state.damaged", f"entry {key.hex()} is missing from the state: rebuild it from the log")
        self.entries.delete(key)
        self.removed.append((key, value))
