"""The guardian: a small process that rolls back when the runner died without doing so.

It reads the journal and nothing else of the run: no experiment file, no plan, no pydantic.
"""
