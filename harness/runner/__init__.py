"""Drives a plan: order, time limits, settling, rollback. It sequences, and decides nothing that a
pure function could; it formats nothing and knows no output."""
