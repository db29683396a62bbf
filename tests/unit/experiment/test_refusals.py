"""What a kind says against its attributes is told where the attribute stands that it blames."""

import pytest

from tests.unit.experiment.tiny import problems

STOCK = "  stock: {http: GET /stock, value: json.count}"


@pytest.mark.parametrize(
    ("probe", "says"),
    [
        pytest.param('{file: a.log, record: "a{2}", count: torn}', [], id="right"),
        pytest.param(
            "{file: a.log, count: torn}",
            ["probes.stock.count: only with record"],
            id="at-the-attribute",
        ),
        pytest.param(
            '{file: a.log, record: "a{2}"}', ["probes.stock.file: count: only with record"], id="at-the-word"
        ),
        pytest.param(
            '{file: a.log, record: "a{2}", count: tron}',
            ["probes.stock.count: found the text 'tron'"],
            id="what-is-wrong-by-itself-is-told-once",
        ),
    ],
)  # fmt: skip
def test_kind_when_it_refuses_its_attributes_then_that_is_told_in_its_words(tmp_path, probe, says):
    assert problems(tmp_path, target={STOCK: f"  stock: {probe}"}) == says


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        ("{files: 256}", []),
        ("{}", []),
        ("{files: 3}", ["services.app.limits: files is 3"]),
        ("{files: true}", ["services.app.limits.files: found true"]),
        ("{file: 3}", ["services.app.limits.file: unknown key 'file'"]),
        ("256", ["services.app.limits: found the number 256"]),
    ],
)
def test_limits_when_under_their_word_then_are_checked_as_the_kind_has_them(tmp_path, limits, says):
    ready = "    ready: {http: GET /healthz, within: 5s}"
    assert problems(tmp_path, target={ready: f"{ready}\n    limits: {limits}"}) == says
