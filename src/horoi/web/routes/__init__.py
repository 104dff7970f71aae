"""The handlers, by subject, and the one table of all endpoints (table.py)."""
