"""Names that keys give themselves: a post that says ``name: Thasos Field``, about nothing, by one key.

Anybody can say so, and twice the same name is nothing unusual on a ledger that nobody runs. So a claim is shown as one, and
never in the place of a name that this node's operator trusts (Zooko's triangle: M. Stiegler, "An Introduction to Petname
Systems", 2005).
"""

from __future__ import annotations

from horoi.ledger.conditions import Key
from horoi.ledger.transaction import MAX_NAME_CHARACTERS, Post

PREFIX = "name:"


def claimed_name(post: Post) -> tuple[bytes, str] | None:
    """The key and the name that it claims; None if the post is no claim."""
    text = post.text
    if not text.startswith(PREFIX) or post.about is not None or type(post.author) is not Key:
        return None
    name = text[len(PREFIX) :].strip()
    if not 0 < len(name) <= MAX_NAME_CHARACTERS or "\n" in name or "\t" in name:
        return None
    return post.author.public, name
