"""Experiment and target files: YAML to ``Plan``, with the position of everything that is wrong.

Starts nothing and asks no service; the words for faults, probes and the like come in as ``Kinds``.
"""
