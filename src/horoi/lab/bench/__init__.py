"""Benchmarks: what this machine does, each figure beside its yardstick, measured in the same run."""
