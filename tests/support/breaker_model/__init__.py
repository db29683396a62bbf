"""A model of a breaker and of all around it, in virtual time, that makes histories with known verdicts.

It imports nothing of ``harness.judge``: what a breaker ought to do is written down here a second time.
"""
