"""What strangers may write is shown as text: every answer stays valid, bounded, and means the same after a round trip."""

from __future__ import annotations

import msgspec
import pytest
from tests.web.test_web_books import issue
from tests.web.web_api import Api
from tests.web.web_node import ALICE

from horoi.base.address import address_of

MARKUP = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "' OR 1=1 --",
    "{{7*7}} ${7*7} %s %n",
    "👩‍👩‍👧‍👦 ﷽ Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢",
    "&lt;b&gt; &#x27;",
    "a" * 64,
)
FORBIDDEN = ("\u202etxt.exe", "zero\u200bwidth", "bell\x07", "line\nbreak", "\u2066isolate", "\ufeffmark")
MAX_ANSWER_BYTES = 4_000_000


@pytest.mark.parametrize("text", MARKUP)
def test_markup_is_text_everywhere(api: Api, text: str) -> None:
    asset = api.post("/v1/wallet/define", {"name": text[:64], "unit": text[:16], "limit": "100"})["assets"][0]
    api.host.mine()
    issue(api, asset, "10")
    api.post("/v1/wallet/post", {"text": f"name: {text}"[:70]})
    api.post("/v1/wallet/post", {"text": text * 20, "about": asset})
    api.post("/v1/wallet/retire", {"asset": asset, "amount": "1", "reason": text[:64]})
    waiting = api.get("/v1/board")["waiting"]
    assert text * 20 in [line["text"] for line in waiting]
    api.host.mine()
    for path in (
        "/v1/board",
        f"/v1/assets/{asset}/provenance",
        f"/v1/keys/{address_of(ALICE.public)}",
        f"/v1/assets/{asset}",
    ):
        answer = api.ask("GET", path)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert len(answer.content) < MAX_ANSWER_BYTES
    lines = api.get("/v1/board")["lines"]
    assert [line["text"] for line in lines if line["about"] == asset] == [text * 20]
    assert [line["reason"] for line in lines if line["kind"] == "retired"] == [text[:64]]
    assert all(len(line["words"]) < 1_000 for line in lines)
    found = api.ask("GET", "/v1/search", params={"q": text})
    assert found.status_code == 200


@pytest.mark.parametrize("text", FORBIDDEN)
def test_what_deceives_the_eye_never_gets_into_the_ledger(api: Api, text: str) -> None:
    api.post("/v1/wallet/define", {"name": text, "unit": "bbl", "limit": "100"}, 422)
    api.post("/v1/names", {"address": address_of(ALICE.public), "name": text}, 400)
    if "\n" not in text:
        api.post("/v1/wallet/post", {"text": text}, 422)
    assert api.get("/v1/search", q=text)["hits"] == []


@pytest.mark.parametrize("field", ["text", "document", "about"])
def test_ten_megabytes_are_refused_before_they_are_read(api: Api, field: str) -> None:
    answer = api.ask("POST", "/v1/wallet/post", json={"text": "x", field: "x" * 10_000_000})
    assert answer.status_code in (400, 413)
    assert len(answer.content) < 10_000


def test_long_questions_are_refused_with_short_answers(api: Api) -> None:
    for path, query in (("/v1/search", "q"), ("/v1/board", "before"), ("/v1/assets", "name")):
        answer = api.ask("GET", path, params={query: "9" * 5_000})
        assert answer.status_code in (400, 414)
        assert len(answer.content) < 10_000


def test_a_transaction_of_many_movements_has_few_lines(api: Api) -> None:
    names = [{"verb": "define", "name": f"asset {number}", "unit": "u", "limit": "9"} for number in range(60)]
    api.post("/v1/wallet/draft", {"steps": names})
    api.host.mine()
    lines = api.get("/v1/board")["lines"]
    assert len(lines) == 32
    assert lines[-1]["words"] == "and 29 more"
    assert len(msgspec.json.encode(lines)) < 100_000
