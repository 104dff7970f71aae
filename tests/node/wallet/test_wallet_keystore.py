import json
import os
import stat
from pathlib import Path

import msgspec
import pytest

from horoi.base.errors import KeyFileError, NotFoundError, UsageError
from horoi.base.keys import KeyPair, verify
from horoi.node.wallet import keys
from horoi.node.wallet.keystore import Keystore
from horoi.node.wallet.seal import Argon2id, find_passphrase, seal, unseal

CHEAP = Argon2id(passes=1, memory_kib=8, lanes=1)
ABANDON = "abandon " * 11 + "about"


@pytest.fixture
def store(tmp_path: Path) -> Keystore:
    return Keystore(tmp_path / "keys", CHEAP)


def path_of(store: Keystore, name: str) -> Path:
    return store.folder / f"{name}.key.json"


def edit(store: Keystore, name: str, **fields: object) -> None:
    path = path_of(store, name)
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def test_new_unlock_and_show(store: Keystore) -> None:
    entry = store.new("refinery", passphrase="open sesame")
    assert entry == store.show("refinery")
    assert entry.encrypted
    assert entry.account == 0
    assert entry.address.startswith("horoi1")
    pair = store.unlock("refinery", "open sesame")
    assert pair.public == entry.public
    assert verify(entry.public, bytes(32), pair.sign(bytes(32)))
    assert keys.account_key(store.mnemonic("refinery", "open sesame")).public == entry.public


def test_nothing_secret_lies_open(store: Keystore) -> None:
    store.restore("a", ABANDON, passphrase="open sesame")
    text = path_of(store, "a").read_text()
    assert "abandon" not in text
    assert keys.account_key(ABANDON).secret.hex() not in text
    assert b"abandon".hex() not in text


def test_files_are_for_the_owner_alone(store: Keystore) -> None:
    before = os.umask(0)
    try:
        store.new("a", passphrase="p")
        store.change_passphrase("a", "p", "q")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path_of(store, "a").stat().st_mode) == 0o600
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    assert [path.name for path in store.folder.iterdir()] == ["a.key.json"]  # nothing left beside it


def test_wrong_and_lacking_passphrase(store: Keystore) -> None:
    store.new("a", passphrase="right")
    for wrong in ("Right", "", "right "):
        with pytest.raises(KeyFileError, match="passphrase"):
            store.unlock("a", wrong)
    with pytest.raises(KeyFileError, match="'a' is encrypted: give its passphrase"):
        store.unlock("a")


def test_a_passphrase_is_the_same_from_every_keyboard(store: Keystore) -> None:
    store.new("a", passphrase="caf\u00e9")
    assert store.unlock("a", "cafe\u0301").public == store.show("a").public


def test_no_passphrase_must_be_asked_for(store: Keystore) -> None:
    with pytest.raises(KeyFileError, match="ask for none explicitly"):
        store.new("a")
    with pytest.raises(KeyFileError, match="passphrase is empty"):
        store.new("a", passphrase="")
    with pytest.raises(UsageError, match="choose one"):
        store.new("a", passphrase="p", unencrypted=True)
    assert not store.folder.exists()
    entry = store.new("a", unencrypted=True)
    assert not entry.encrypted
    assert store.unlock("a").public == entry.public


def test_restore_import_and_list(store: Keystore) -> None:
    first = store.restore("b", ABANDON, account=3, extra_passphrase="x", passphrase="p")
    assert first.public == keys.account_key(ABANDON, 3, "x").public
    assert store.unlock("b", "p").public == first.public
    raw = store.import_raw("a", bytes(31) + b"\x05", passphrase="p")
    assert store.unlock("a", "p").secret == bytes(31) + b"\x05"
    assert store.entries() == [raw, first]
    with pytest.raises(KeyFileError, match="imported raw"):
        store.mnemonic("a", "p")
    with pytest.raises(KeyFileError, match="imported raw"):
        store.derive("c", "a", passphrase="p")
    for bad in (b"", bytes(32), bytes(31)):
        with pytest.raises(KeyFileError, match="secret key"):
            store.import_raw("d", bad, passphrase="p")


def test_further_accounts(store: Keystore) -> None:
    first = store.restore("first", ABANDON, passphrase="p")
    second = store.derive("second", "first", passphrase="p")
    third = store.derive("third", "second", account=7, passphrase="p")
    fourth = store.derive("fourth", "first", passphrase="p")
    assert [e.account for e in (first, second, third, fourth)] == [0, 1, 7, 8]
    assert {e.root for e in (first, second, third, fourth)} == {first.root}
    assert store.unlock("fourth", "p").public == keys.account_key(ABANDON, 8).public
    with pytest.raises(KeyFileError, match="wrong passphrase"):
        store.derive("fifth", "first", passphrase="q")


def test_change_passphrase(store: Keystore) -> None:
    entry = store.new("a", passphrase="old")
    with pytest.raises(KeyFileError, match="wrong passphrase"):
        store.change_passphrase("a", "bad", "new")
    assert store.change_passphrase("a", "old", "new") == entry
    assert store.unlock("a", "new").public == entry.public
    with pytest.raises(KeyFileError, match="wrong passphrase"):
        store.unlock("a", "old")
    assert not store.change_passphrase("a", "new", None, unencrypted=True).encrypted
    assert store.unlock("a").public == entry.public


def test_a_key_is_never_overwritten(store: Keystore) -> None:
    store.new("a", passphrase="p")
    before = path_of(store, "a").read_bytes()
    with pytest.raises(KeyFileError, match="exists already"):
        store.new("a", passphrase="p")
    assert path_of(store, "a").read_bytes() == before


@pytest.mark.parametrize("name", ["", "../a", "a/b", ".a", "a.b", "a" * 65, "a\n", "é"])
def test_names_that_are_no_names(store: Keystore, name: str) -> None:
    with pytest.raises(UsageError, match="key name"):
        store.new(name, passphrase="p")


def test_an_unknown_key(store: Keystore) -> None:
    assert store.entries() == []
    with pytest.raises(NotFoundError, match="no key 'a'"):
        store.unlock("a", "p")


@pytest.mark.parametrize(
    "content", [b"{", b"null", b"{}", b"\xff\xfe", b'{"horoi_key": 2}', b"[" * 9_000], ids=range(6)
)
def test_a_damaged_file(store: Keystore, content: bytes) -> None:
    store.new("a", passphrase="p")
    path_of(store, "a").write_bytes(content)
    with pytest.raises(KeyFileError, match=r"a\.key\.json: damaged .* restore it"):
        store.unlock("a", "p")


def test_an_empty_or_huge_file(store: Keystore) -> None:
    store.new("a", passphrase="p")
    path_of(store, "a").write_bytes(b"")
    with pytest.raises(KeyFileError, match="empty"):
        store.show("a")
    path_of(store, "a").write_bytes(b" " * 20_000)
    with pytest.raises(KeyFileError, match="over 16384 bytes"):
        store.show("a")


def test_what_stands_openly_cannot_be_changed_unnoticed(store: Keystore) -> None:
    store.new("a", passphrase="p")
    other = KeyPair(bytes(31) + b"\x09").public.hex()
    original = path_of(store, "a").read_text()
    for fields in ({"public": other}, {"account": 5}, {"account": None}, {"root": "00" * 8}):
        path_of(store, "a").write_text(original)
        edit(store, "a", **fields)
        with pytest.raises(KeyFileError, match="wrong passphrase, or the file was changed"):
            store.unlock("a", "p")
    store.restore("b", ABANDON, unencrypted=True)
    edit(store, "b", public=other)
    with pytest.raises(KeyFileError, match="not that of its public key"):
        store.unlock("b")


def test_a_changed_seal(store: Keystore) -> None:
    store.new("a", passphrase="p")
    sealed = json.loads(path_of(store, "a").read_text())["sealed"]
    for field in ("salt", "nonce", "chacha20poly1305"):
        for text in (("0" if sealed[field][0] != "0" else "1") + sealed[field][1:], sealed[field][2:], "zz"):
            edit(store, "a", sealed={**sealed, field: text})
            with pytest.raises(KeyFileError, match=r"damaged|wrong passphrase"):
                store.unlock("a", "p")
    edit(store, "a", sealed={**sealed, "argon2id": {"passes": 1, "memory_kib": 2**40, "lanes": 1}})
    with pytest.raises(KeyFileError, match="damaged"):
        store.unlock("a", "p")  # and not: the machine's memory
    edit(store, "a", sealed=None)
    with pytest.raises(KeyFileError, match="one of sealed and open"):
        store.unlock("a", "p")


def test_the_file_is_what_the_documentation_says(store: Keystore) -> None:
    store.new("a", passphrase="p")
    file = json.loads(path_of(store, "a").read_text())
    assert list(file) == ["horoi_key", "public", "account", "root", "sealed", "open"]
    assert file["sealed"]["argon2id"] == msgspec.to_builtins(CHEAP)


def test_default_cost_is_rfc_9106_second_option() -> None:
    sealed = seal(b"secret", "p", b"beside")
    assert sealed.argon2id == Argon2id(passes=3, memory_kib=65_536, lanes=4)
    assert unseal(sealed, "p", b"beside") == b"secret"
    with pytest.raises(KeyFileError, match="wrong passphrase"):
        unseal(sealed, "p", b"Beside")


def test_where_a_passphrase_is_found(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_text("from file\nsecond line\n")
    environment = {"HOROI_PASSPHRASE": "from environment"}
    assert find_passphrase(environment, file) == "from file"
    assert find_passphrase(environment) == "from environment"
    assert find_passphrase({}) is None
    for content in (b"", b"\nx", b"\xff\xff"):
        file.write_bytes(content)
        with pytest.raises(KeyFileError, match="passphrase file"):
            find_passphrase({}, file)
    with pytest.raises(KeyFileError, match="cannot be read"):
        find_passphrase({}, tmp_path / "nowhere")
