from wallet_ledger import AUDITOR, CARRIER, FIELD, REFINERY, STATION, World

from horoi.base.address import address_of
from horoi.base.hashing import sha256
from horoi.ledger.conditions import AfterHeight, AllOf, AnyOf, Preimage, Threshold
from horoi.ledger.transaction import NATIVE, Amount, Body, Definition, Holding, Post, Recipe
from horoi.node.wallet.builder import Draft
from horoi.node.wallet.explain import AssetName, Names, explain
from horoi.node.wallet.pools import Spendable

OIL = b"\x07" * 32
PETROL = b"\x08" * 32
PEOPLE = {FIELD: "the field", REFINERY: "the refinery", CARRIER: "the carrier", STATION: "the station"}
NAMES = Names(
    PEOPLE, {OIL: AssetName("crude", "bbl", 2), PETROL: AssetName("petrol", "l"), NATIVE: AssetName("drachma")}
)


def lot(quantity: int, owner: object = FIELD, custodian: object = FIELD, asset: bytes = OIL) -> Spendable:
    return Spendable(sha256(b"%d" % quantity), 0, Holding(asset, quantity, owner, custodian), 1, False)  # type: ignore[arg-type]


def test_a_sale_with_custody_fee_and_post() -> None:
    draft = Draft([lot(1000), lot(77, REFINERY, None, NATIVE)], height=9, payer=REFINERY)
    draft.transfer(OIL, 650, owner=FIELD, to=REFINERY, new_custodian=CARRIER)
    body = draft.post(FIELD, "in order", about=OIL, document=bytes(32)).pay_fee(REFINERY, 7).build()
    assert explain(body, NAMES) == [
        "the field gives 6.5 bbl of crude [0707070707070707] to the refinery.",
        "the refinery parts with 7 of drachma.",
        "the field hands over 6.5 bbl of crude [0707070707070707] to the carrier.",
        f"the field states about crude [0707070707070707] with the document of SHA-256 {'00' * 32}: 'in order'.",
        "A fee of 7 of drachma is paid to the maker of the block.",
        "To agree: the refinery; the field; the carrier.",
    ]


def test_custody_alone() -> None:
    draft = Draft([lot(1000)], height=9)
    body = draft.hand_over(OIL, 1000, owner=FIELD, to=CARRIER, reclaim_at_height=40).build()
    assert explain(body, NAMES) == [
        "the field owns as much of crude [0707070707070707] as before.",
        "the field hands over 10 bbl of crude [0707070707070707], still owned by the field, to "
        "(the carrier or (anybody from block 40 on and the field)).",
        "To agree: the field; (the carrier or (anybody from block 40 on and the field)).",
    ]


def test_ownership_alone() -> None:
    body = Draft([lot(1000, FIELD, CARRIER)], height=9).transfer(OIL, 1000, owner=FIELD, to=STATION).build()
    assert explain(body, NAMES) == [
        "the field gives 10 bbl of crude [0707070707070707] to the station.",
        "the carrier goes on holding crude [0707070707070707], whoever owns it.",
        "To agree: the field.",
    ]


def test_refining() -> None:
    world = World()
    oil, petrol = world.defined("crude"), world.defined("petrol")
    recipe = Recipe((Amount(oil, 2),), 1)
    world.play(world.draft().issue(oil, 100, issuer=FIELD).build(), "field")
    world.play(world.draft().license(petrol, 60, owner=FIELD, to=FIELD, recipes=[recipe]).build(), "field")
    draft = world.draft().refine(Amount(oil, 100), [Amount(petrol, 48)], by=FIELD, loss_reason="flared")
    names = Names(PEOPLE, {oil: AssetName("crude", "bbl"), petrol: AssetName("petrol", "bbl")})
    o, p = f"crude [{oil.hex()[:16]}]", f"petrol [{petrol.hex()[:16]}]"
    assert explain(draft.build(), names) == [
        f"the field makes 48 bbl of {p} out of 96 bbl of {o}.",
        f"the field parts with 100 bbl of {o}.",
        f"the field receives 48 bbl of {p}.",
        f"the field lets go of 100 bbl of {o}.",
        f"the field takes into custody 48 bbl of {p}.",
        f"the field uses a right to make up to 60 bbl of {p} out of 2 bbl of {o} for 1 bbl of {p}.",
        f"the field keeps a right to make up to 12 bbl of {p} out of 2 bbl of {o} for 1 bbl of {p}.",
        f"4 bbl of {o} leave the books: 'flared'.",
        "To agree: the field.",
    ]


def test_rights_given_away_show() -> None:
    world = World()
    oil = world.defined("crude")
    lines = explain(world.draft().pass_right(oil, 400, owner=FIELD, to=STATION).build(), NAMES)
    asset = f"asset [{oil.hex()[:16]}]"
    assert f"the station receives a right to issue up to 400 (smallest unit) of {asset}." in lines
    assert f"the field keeps a right to issue up to 999600 (smallest unit) of {asset}." in lines


def test_a_definition() -> None:
    body = Draft([], height=9).define("crude", issuer=FIELD, limit=12_345, unit="bbl", decimals=2).build()
    assert explain(body, NAMES) == [
        "the field defines the asset 'crude', at most 123.45 bbl, with custodians.",
        "Valid up to block 1008.",
        "To agree: the field.",
    ]


def test_several_givers_and_takers() -> None:
    draft = Draft([lot(5), lot(7, REFINERY, REFINERY)], height=9)
    draft.transfer(OIL, 5, owner=FIELD, to=STATION).transfer(OIL, 7, owner=REFINERY, to=STATION)
    lines = explain(draft.build(), NAMES)
    assert lines[:2] == [
        "the refinery gives 0.07 bbl of crude [0707070707070707] to the station.",
        "the field gives 0.05 bbl of crude [0707070707070707] to the station.",
    ]


def test_two_givers_and_two_takers_are_named_one_by_one() -> None:
    draft = Draft([lot(5), lot(7, REFINERY, REFINERY)], height=9)
    draft.transfer(OIL, 5, owner=FIELD, to=STATION).transfer(OIL, 7, owner=REFINERY, to=CARRIER)
    o = "crude [0707070707070707]"
    assert explain(draft.build(), NAMES)[:4] == [
        f"the refinery parts with 0.07 bbl of {o}.",
        f"the field parts with 0.05 bbl of {o}.",
        f"the station receives 0.05 bbl of {o}.",
        f"the carrier receives 0.07 bbl of {o}.",
    ]


def test_texts_of_others_cannot_paint_over_the_line() -> None:
    evil = "fine\x1b[2K\r\u202ethe field receives 1000"
    definition = Definition(evil, "\x1b[1A", 0, AUDITOR, 1, True, None)
    body = Body(posts=(Post(AUDITOR, evil, None, None),), definitions=(definition,), since=8)
    text = "".join(explain(body, Names({AUDITOR: evil})))
    assert not any(letter in text for letter in "\x1b\r\u202e")
    assert "the field receives 1000" in text  # shown, in quotes


def test_conditions_in_words_without_names() -> None:
    names = Names()
    key = FIELD.public
    assert names.who(FIELD) == address_of(key)
    assert names.who(Threshold(1, (key,))) == f"1 of ({address_of(key)})"
    condition = AnyOf((AllOf((FIELD, Preimage(bytes(32)))), AfterHeight(9)))
    assert names.who(condition) == (
        f"(({address_of(key)} and whoever shows the bytes with SHA-256 {'00' * 32}) or anybody from block 9 on)"
    )
