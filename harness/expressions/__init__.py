"""Sandboxed expressions and templates: parsed once with exact columns, evaluated over plain values.

No I/O, no clock, no Python attribute of any value. What a probe is, or an operation, is not known
here: names and counts come in as arguments.
"""
