"""Drives the script of a breaker: its phases, their load and faults, and what is looked at meanwhile."""
