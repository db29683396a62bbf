"""A chaos-testing harness for live services: storm, prove, and say what was not exercised.

The rooms and their import order are in ``CONTRIBUTING.md``; ``tests/architecture`` holds them.
"""

__version__ = "0.1.0"
