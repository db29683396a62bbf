"""The journal: append, make durable, redact, read, merge. Knows lines, not what events mean.

Nothing here decides or judges; what an event says is the business of who wrote it and who folds it.
"""
