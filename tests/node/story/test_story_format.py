"""Stories as data: what ships is sound, and what is wrong is named with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from horoi.base.errors import UsageError
from horoi.node.story import load_story, read_story, scenes, shipped_stories

SMALL = """
title = "Two companies"
[[companies]]
id = "a"
name = "A"
[[companies]]
id = "b"
name = "B"
[[assets]]
id = "salt"
name = "Salt"
unit = "kg"
issuer = "a"
limit = "1000"
[[steps]]
by = "a"
post = "made"
about = "salt"
do = [{ verb = "issue", asset = "salt", quantity = "10" }]
"""


def test_two_stories_ship_and_every_company_plays() -> None:
    assert shipped_stories() == ["petroleum", "retail"]
    for name in shipped_stories():
        story = load_story(name)
        assert len(story.companies) == 4
        assert {step.by for step in story.steps} <= {company.id for company in story.companies}
        settings = [scene for scene in scenes(story) if scene.is_setting]
        assert len(list(scenes(story))) == len(settings) + len(story.steps)


def test_the_petroleum_story_has_the_entries_of_the_lecture() -> None:
    texts = [step.post for step in load_story("petroleum").steps]
    assert "10432 barrels produced in Thasos on Dec 26, 2022" in texts
    assert any("6327 barrels transported from Thasos to the ELPE refinery" in text for text in texts)
    assert any("Received 6327 barrels at 8:48 pm" in text for text in texts)


def test_a_story_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    assert [company.id for company in load_story(str(path)).companies] == ["a", "b"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (('issuer = "a"', 'issuer = "nobody"'), "no company 'nobody'"),
        (('asset = "salt"', 'asset = "pepper"'), "no asset 'pepper'"),
        (('id = "b"', 'id = "a"'), "company 'a' is there twice"),
        (('verb = "issue"', 'verb = "steal"'), "steal"),
        (('quantity = "10"', 'quantity = "ten"'), "quantity"),
        (('quantity = "10"', "quantity = -1"), "quantity"),
        (('title = "Two companies"', "title = 3"), "title"),
        (('unit = "kg"', 'unit = "kg"\ncolour = "white"'), "colour"),
        (("[[steps]]", "[[steps"), "line 15"),
    ],
)
def test_what_is_wrong_is_named(change: tuple[str, str], complaint: str) -> None:
    with pytest.raises(UsageError, match="story here") as caught:
        read_story(SMALL.replace(*change).encode(), "here")
    assert complaint in str(caught.value)


def test_a_story_that_is_nowhere_lists_those_that_ship() -> None:
    with pytest.raises(UsageError, match="petroleum, retail"):
        load_story("no-such-story")
