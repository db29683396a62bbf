"""Toxiproxy's HTTP API: ``http`` speaks it, ``routes`` finds the call, ``bodies`` reads what was
sent, ``answers`` writes what is said. State and rules stand in ``harness.proxy.server``.
"""
