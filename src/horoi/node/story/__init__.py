"""Stories: what the companies of a supply chain do, as data.

format.py   what a story file says: companies, assets, steps
play.py     what each step means: one transaction, signed by those who must agree
*.toml      the stories that ship with Horoi
"""

from horoi.node.story.format import Story, load_story, read_story, shipped_stories
from horoi.node.story.play import Cast, Scene, scenes

__all__ = ["Cast", "Scene", "Story", "load_story", "read_story", "scenes", "shipped_stories"]
