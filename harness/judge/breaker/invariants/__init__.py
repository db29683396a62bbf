"""The 26 invariants of a breaker, a module each: ``SUBJECT``, and ``judge(known)`` to its finding."""
