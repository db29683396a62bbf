"""Frozen types that two rooms share: units, outcomes, events, the plan, verdicts, errors.

Nothing here decides, reads a clock or does I/O. A type enters when a second room needs it.
"""
