"""Events to a verdict: invariants, the evidence that they were tested, and one function that makes ``held``.

Pure: the same fold judges a run while it lasts and its journal afterwards. No clock, no file, no
target; what is not in the events did not happen.
"""
