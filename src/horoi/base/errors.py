"""Error families. Every error says which rule broke, with which values, and what to do.

A family is also an exit code of the command line, so that a script can tell a bad file from a busy port.
"""

from __future__ import annotations


class HoroiError(Exception):
    """The root of every error that Horoi raises on purpose. Exit code 1.

    ``code`` names the refusal and ``values`` are what it is about, for whoever says it in another language than the message:
    the explorer's pages have a sentence for every code that a person can meet there.
    """

    exit_code = 1

    def __init__(self, message: str = "", /, *, code: str = "", **values: str | int) -> None:
        super().__init__(message)
        self.code = code
        self.values = values


class UsageError(HoroiError):
    """The caller asked for something that cannot be meant: a wrong option, a bad amount. Exit code 2."""

    exit_code = 2


class DecodeError(HoroiError):
    """Bytes that are not the canonical form of what they claim to be. Exit code 3."""

    exit_code = 3


class RuleError(HoroiError):
    """A ledger or consensus rule is broken. ``rule`` is its stable name (docs/ledger.md). Exit code 4."""

    exit_code = 4

    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(f"{rule}: {detail}", code=rule)
        self.rule = rule
        self.detail = detail


class KeyFileError(HoroiError):
    """A key, mnemonic or keystore cannot be read, or its passphrase is wrong. Exit code 5."""

    exit_code = 5


class StorageError(HoroiError):
    """The disk is full, damaged, locked, or belongs to another network. Exit code 6."""

    exit_code = 6


class NetworkError(HoroiError):
    """A peer or the node cannot be reached, or a port is taken. Exit code 7."""

    exit_code = 7


class NotFoundError(HoroiError):
    """The thing that was named is not known here. Exit code 8."""

    exit_code = 8


class ForbiddenError(HoroiError):
    """The action needs the node's token or a key that is not here. Exit code 9."""

    exit_code = 9


class InsufficientError(HoroiError):
    """The keys at hand do not hold what the action needs. Exit code 10."""

    exit_code = 10
