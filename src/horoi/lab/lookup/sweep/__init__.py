"""Many experiments: every combination of some options, each with several seeds, on all cores or on many machines.

``grid`` makes the runs out of the options, ``engines`` spreads them, ``results`` keeps what is done in a file so that nothing is
done twice, ``summary`` makes means and confidence intervals. A run depends on its settings alone, so where it runs and in which
order changes nothing: one digest says that two sweeps saw the same.
"""
