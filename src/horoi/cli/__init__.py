"""The commands: they compose everything below and decide nothing that a program could not decide by the API."""
