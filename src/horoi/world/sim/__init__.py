"""The simulated world: one seed is one universe. Start at ``universe.py``."""
