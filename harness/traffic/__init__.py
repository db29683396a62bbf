"""Traffic: a user's operations, requests and commands: alone, as bursts that arrive together, or at a rate.

It sends, stamps and sorts answers into acknowledged, rejected and unknown. Whether a run held is
decided in ``judge/``, and when to send in ``runner/``.
"""
