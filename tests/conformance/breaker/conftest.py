"""The breaker's cases by number: histories without I/O, in virtual time (contract §8)."""

import pytest


def case(*numbers):
    """The cases of the contract that a test holds; they stand in the test's id."""

    def mark(function):
        together = "+".join(numbers)
        function = pytest.mark.parametrize("number", [together], ids=[together], indirect=True)(
            function
        )
        return pytest.mark.usefixtures("number")(function)

    return mark


@pytest.fixture
def number(request):
    return request.param
