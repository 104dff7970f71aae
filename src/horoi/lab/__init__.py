"""The lab: systems in simulated worlds, attacks, papers' figures, benchmarks."""
