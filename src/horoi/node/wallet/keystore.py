"""The keystore: a folder with one small JSON file per key, ``NAME.key.json``, for the owner's eyes only (mode 0600).

The public key stands openly in the file, so keys are listed without a passphrase; the secret is sealed (seal.py), and
the seal covers what stands openly. A key that came from a mnemonic keeps the mnemonic, so that it can be shown again and
further accounts derived. Without a passphrase a secret lies open: that must be asked for, and is for demonstrations.

A file appears whole or not at all: its name is reserved first (so two processes cannot take the same one), the content is
written beside it, synced, and renamed over it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from horoi.base.address import address_of
from horoi.base.errors import KeyFileError, NotFoundError, UsageError
from horoi.base.files import PRIVATE, replace_file
from horoi.base.keys import SECRET_SIZE_BYTES, KeyPair
from horoi.node.wallet import keys
from horoi.node.wallet.seal import DEFAULT_COST, Argon2id, Sealed, check_passphrase, seal, unseal

SUFFIX = ".key.json"
MAX_FILE_SIZE_BYTES = 16_384  # a file has about 700 bytes; anything large is not one
FORMAT = 1

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_Hex32 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class KeyEntry(NamedTuple):
    """What can be known of a key without its passphrase."""

    name: str
    public: bytes
    account: int | None
    """Number of the account of its mnemonic; None for a raw key."""
    root: bytes | None
    """8 bytes that keys of the same mnemonic share; None for a raw key."""
    encrypted: bool

    @property
    def address(self) -> str:
        """The address of the key."""
        return address_of(self.public)


class _Secret(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is sealed: a mnemonic with BIP 39's extra passphrase, or a raw secret in hexadecimal."""

    mnemonic: str = ""
    extra_passphrase: str = ""
    raw: str = ""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file. Exactly one of ``sealed`` and ``open`` is there."""

    horoi_key: Annotated[int, Meta(ge=FORMAT, le=FORMAT)]
    public: _Hex32
    account: Annotated[int, Meta(ge=0, le=keys.MAX_ACCOUNT)] | None
    root: Annotated[str, Meta(pattern="^[0-9a-f]{16}$")] | None
    sealed: Sealed | None
    open: _Secret | None

    def beside(self) -> bytes:
        """What stands openly, as the seal covers it."""
        return msgspec.json.encode([self.horoi_key, self.public, self.account, self.root])


class Keystore:
    """The keys in ``folder``, which is made when the first key is. ``cost`` is what sealing a key costs."""

    def __init__(self, folder: Path, cost: Argon2id = DEFAULT_COST) -> None:
        self.folder = folder
        self.cost = cost

    # ---- making keys: passphrase=None means unencrypted, and must be said with unencrypted=True ----------------

    def new(self, name: str, *, words: int = 12, passphrase: str | None = None, unencrypted: bool = False) -> KeyEntry:
        """A key from a fresh mnemonic of 12 or 24 words; ``mnemonic`` shows it, to be written down."""
        return self.restore(name, keys.new_mnemonic(words), passphrase=passphrase, unencrypted=unencrypted)

    def restore(
        self,
        name: str,
        mnemonic: str,
        *,
        account: int = 0,
        extra_passphrase: str = "",
        passphrase: str | None = None,
        unencrypted: bool = False,
    ) -> KeyEntry:
        """The key of an account of a mnemonic. ``extra_passphrase`` is BIP 39's, part of the key's origin."""
        if not 0 <= account <= keys.MAX_ACCOUNT:
            raise UsageError(f"account {account}: a number from 0 to {keys.MAX_ACCOUNT}")
        secret = _Secret(mnemonic=keys.check_mnemonic(mnemonic), extra_passphrase=extra_passphrase)
        return self._create(name, secret, account, passphrase, unencrypted=unencrypted)

    def import_raw(
        self, name: str, secret: bytes, *, passphrase: str | None = None, unencrypted: bool = False
    ) -> KeyEntry:
        """A key from its 32 secret bytes."""
        return self._create(name, _Secret(raw=secret.hex()), None, passphrase, unencrypted=unencrypted)

    def derive(self, name: str, source: str, *, account: int | None = None, passphrase: str | None = None) -> KeyEntry:
        """Another account of the mnemonic of key ``source``, sealed as that is; the next free number if none is given."""
        origin, file = self._read(source)
        if origin.account is None:
            raise KeyFileError(f"key {source!r} was imported raw: only keys from a mnemonic have accounts")
        secret = _open(file, passphrase, source)
        if account is None:
            used = [e.account for e in self.entries() if e.root == origin.root and e.account is not None]
            account = max(used) + 1
        return self.restore(
            name,
            secret.mnemonic,
            account=account,
            extra_passphrase=secret.extra_passphrase,
            passphrase=passphrase if origin.encrypted else None,
            unencrypted=not origin.encrypted,
        )

    # ---- reading keys -------------------------------------------------------------------------------------------

    def entries(self) -> list[KeyEntry]:
        """Every key, by name."""
        names = sorted(path.name.removesuffix(SUFFIX) for path in self.folder.glob("*" + SUFFIX))
        return [self.show(name) for name in names if _NAME.fullmatch(name)]

    def show(self, name: str) -> KeyEntry:
        """What is known of a key without its passphrase."""
        return self._read(name)[0]

    def unlock(self, name: str, passphrase: str | None = None) -> KeyPair:
        """The key pair; KeyFileError if the passphrase is wrong or the file damaged."""
        entry, file = self._read(name)
        pair = _pair_of(_open(file, passphrase, name), entry.account)
        if pair.public != entry.public:
            raise KeyFileError(f"key {name!r}: the secret is not that of its public key; restore it from the mnemonic")
        return pair

    def mnemonic(self, name: str, passphrase: str | None = None) -> str:
        """The words that the key came from. Whoever reads them owns what the key owns."""
        secret = _open(self._read(name)[1], passphrase, name)
        if not secret.mnemonic:
            raise KeyFileError(f"key {name!r} was imported raw and has no mnemonic")
        return secret.mnemonic

    def change_passphrase(self, name: str, old: str | None, new: str | None, *, unencrypted: bool = False) -> KeyEntry:
        """Seal a key anew, under another passphrase and the keystore's present cost."""
        _check_asked(new, unencrypted)
        entry, file = self._read(name)
        fresh = self._protect(file, _open(file, old, name), new)
        _replace(self._path(name), fresh)
        return entry._replace(encrypted=new is not None)

    # ---- files --------------------------------------------------------------------------------------------------

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"key name {name[:80]!r}: 1 to 64 letters, digits, - and _, beginning with a letter or digit"
            )
        return self.folder / (name + SUFFIX)

    def _create(
        self,
        name: str,
        secret: _Secret,
        account: int | None,
        passphrase: str | None,
        *,
        unencrypted: bool,
    ) -> KeyEntry:
        path = self._path(name)
        _check_asked(passphrase, unencrypted)
        pair = _pair_of(secret, account)
        root = None if account is None else keys.root_id(secret.mnemonic, secret.extra_passphrase)
        bare = _File(FORMAT, pair.public.hex(), account, root.hex() if root else None, None, None)
        file = self._protect(bare, secret, passphrase)
        _reserve(path)
        try:
            _replace(path, file)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return KeyEntry(name, pair.public, account, root, passphrase is not None)

    def _protect(self, file: _File, secret: _Secret, passphrase: str | None) -> _File:
        if passphrase is None:
            return msgspec.structs.replace(file, sealed=None, open=secret)
        sealed = seal(msgspec.json.encode(secret), passphrase, file.beside(), self.cost)
        return msgspec.structs.replace(file, sealed=sealed, open=None)

    def _read(self, name: str) -> tuple[KeyEntry, _File]:
        path = self._path(name)
        try:
            with path.open("rb") as opened:
                data = opened.read(MAX_FILE_SIZE_BYTES + 1)
        except FileNotFoundError:
            raise NotFoundError(f"no key {name!r} in {self.folder}; make or restore it") from None
        except OSError as error:
            raise KeyFileError(f"key file {path}: cannot be read: {error}") from None
        if not data:
            raise KeyFileError(
                f"key file {path}: empty, for its making was interrupted; delete it and make the key again"
            )
        if len(data) > MAX_FILE_SIZE_BYTES:
            raise KeyFileError(f"key file {path}: over {MAX_FILE_SIZE_BYTES} bytes, so not a key file of horoi")
        try:
            file = msgspec.json.decode(data, type=_File)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise KeyFileError(
                f"key file {path}: damaged ({error}); restore it from a copy or from its mnemonic"
            ) from None
        if (file.sealed is None) == (file.open is None):
            raise KeyFileError(f"key file {path}: damaged (one of sealed and open is there); restore it from a copy")
        root = bytes.fromhex(file.root) if file.root else None
        return KeyEntry(name, bytes.fromhex(file.public), file.account, root, file.sealed is not None), file


def _check_asked(passphrase: str | None, unencrypted: bool) -> None:
    if passphrase is None and not unencrypted:
        raise KeyFileError("a key without a passphrase lies open in its file; give one, or ask for none explicitly")
    if passphrase is not None and unencrypted:
        raise UsageError("a passphrase and no passphrase were asked for; choose one")
    if passphrase is not None:
        check_passphrase(passphrase)


def _open(file: _File, passphrase: str | None, name: str) -> _Secret:
    if file.open is not None:
        return file.open
    assert file.sealed is not None
    if passphrase is None:
        raise KeyFileError(f"key {name!r} is encrypted: give its passphrase")
    try:
        return msgspec.json.decode(unseal(file.sealed, passphrase, file.beside()), type=_Secret)
    except KeyFileError as error:
        raise KeyFileError(f"key {name!r}: {error}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise KeyFileError(f"key {name!r}: sealed by another program; restore it from the mnemonic") from None


def _pair_of(secret: _Secret, account: int | None) -> KeyPair:
    if secret.mnemonic:
        return keys.account_key(secret.mnemonic, account or 0, secret.extra_passphrase)
    try:
        return KeyPair(bytes.fromhex(secret.raw))
    except ValueError:
        raise KeyFileError(f"the secret is not {2 * SECRET_SIZE_BYTES} hexadecimal letters; restore the file") from None


def _reserve(path: Path) -> None:
    """Take the name, or fail if it is taken: the only step that two processes can race for."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise KeyFileError(
            f"key file {path} exists already; choose another name (keys are never overwritten)"
        ) from None
    except OSError as error:
        raise KeyFileError(f"key file {path}: cannot be written: {error}") from None


def _replace(path: Path, file: _File) -> None:
    data = msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n"
    try:
        replace_file(path, data, PRIVATE)
    except OSError as error:
        raise KeyFileError(f"key file {path}: cannot be written: {error}") from None
