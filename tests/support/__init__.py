"""Tools of the tests, named by what they hold; each is itself tested in tests/unit/support."""
