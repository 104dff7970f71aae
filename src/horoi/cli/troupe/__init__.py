"""``horoi up``: a network of companies on this machine, each a process of its own, that play a story.

processes.py   start, watch and stop the node processes
stage.py       play the story's scenes as real signed transactions through the nodes' APIs
screen.py      what a person sees
"""
