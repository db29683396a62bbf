"""Faults: who turns a disturbance on and off, and reads from the wire whether it was there.

What happens to the bytes is ``proxy/toxics/``. When to act is the runner's decision.
"""
