"""Noop: does nothing. It shows that a toxic is there, and where one stands in the chain."""

from harness.proxy.toxic import NoParams, Toxic


class Noop(Toxic):
    """The base class does nothing already; this gives it a name."""

    kind = "noop"
    summary = "Does nothing; every byte and every close passes untouched."

    @classmethod
    def words(cls, params: NoParams) -> str:
        return "nothing (noop)"
