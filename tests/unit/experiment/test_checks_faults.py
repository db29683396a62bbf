"""Rules of one fault: what its kind refuses is told where it stands."""

import pytest

from tests.unit.experiment.tiny import plans, problems

FAULT = "latency: 40ms, jitter: 10ms, for: 10s, stream: upstream, toxicity: 30%"


def told(folder, fault, *, target=()):
    return problems(folder, experiment={FAULT: fault}, target=dict(target))


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        pytest.param(
            "slicer: 64B, delay: 10us, per: request, codec: postgres, first: 1", [], id="right"
        ),
        pytest.param(
            "cut: {bytes: 1B, messages: 1}",
            ["method[0].fault.cut.bytes: give exactly one limit, bytes or messages"],
            id="together-nested",
        ),
        pytest.param(
            "cut: 1B, messages: -1",
            ["method[0].fault.messages: -1 is out of range, use 0 to 9223372036854775807"],
            id="range-beside-the-word",
        ),
        pytest.param(
            "cut: {messages: two}",
            ["method[0].fault.cut.messages: found the text 'two'"],
            id="wrong-by-itself-is-not-called-missing",
        ),
        pytest.param(
            "latency: 10ms, jitter: 40ms",
            ["method[0].fault.latency: jitter is larger than latency"],
            id="its-own-rule",
        ),
        pytest.param(
            "latency: 1ms, codec: redis, match: {header: a, values: [b]}",
            ["method[0].fault.codec: match looks at headers, and the codec redis knows none"],
            id="match-and-codec",
        ),
    ],
)
def test_fault_when_its_keys_do_not_go_together_then_the_one_to_blame_is_named(
    tmp_path, fault, says
):
    assert told(tmp_path, fault) == says


@pytest.mark.parametrize(
    "fault",
    [
        "status: 503",
        "latency: 1ms, codec: http, per: request",
        "latency: 1ms, match: {header: a, values: [b]}",
    ],
)
def test_fault_when_it_reads_http_then_the_hop_must_not_lead_to_a_database(tmp_path, fault):
    (problem,) = told(tmp_path, fault)
    assert "the hop db leads to postgres, which speaks SQL" in problem


def test_status_when_out_of_range_then_its_word_is_where_it_stands(tmp_path):
    assert "method[0].fault.status: 700 is out of range, use 200 to 599" in told(
        tmp_path, "status: 700"
    )


def test_hop_when_a_service_is_named_then_the_hop_to_it_is(tmp_path):
    changed = {"on: db": "on: postgres"}
    (problem,) = problems(tmp_path, experiment=changed)
    assert problem == "method[0].fault.on: unknown hop 'postgres'"


@pytest.mark.parametrize(
    ("time", "lasts", "wrong"), [("10s", "10s", 0), ("10s", "11s", 1), ("", "20min", 1)]
)
def test_fault_when_it_outlasts_the_run_then_is_told(tmp_path, time, lasts, wrong):
    limit = f"time: {time}\n" if time else ""
    changed = {"rounds: 3": f"{limit}rounds: 3", "for: 10s": f"for: {lasts}"}
    assert len(problems(tmp_path, experiment=changed)) == wrong


def test_fault_when_its_kind_is_no_toxic_then_nothing_is_asked_of_a_stream(tmp_path):
    naive, _ = plans(tmp_path, experiment={FAULT: "down: true, for: 1s"})
    assert naive.method[0].stream is None
