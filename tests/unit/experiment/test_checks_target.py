"""Operations, probes and resets: whom they ask."""

from tests.unit.experiment.tiny import plans, problems

WORKER = "  app:\n    run: uvicorn bank.app:app --port {port}\n"


def test_on_when_only_one_service_fits_then_may_be_left_out(tmp_path):
    (naive, _) = plans(tmp_path, target={'id = 1", on: postgres': 'id = 1"'})
    assert {o.name: o.on for o in naive.target.operations} == {"login": "app", "withdraw": "app"}
    assert {p.name: p.on for p in naive.target.probes} == {"balance": "postgres", "stock": "app"}


def test_on_when_two_services_fit_then_is_needed(tmp_path):
    two = {"  app:\n": '  other: {run: "serve {port}"}\n  app:\n'}
    assert [line.partition(":")[0] for line in problems(tmp_path, target=two)] == [
        "operations.login", "operations.withdraw", "probes.stock"
    ]  # fmt: skip


def test_on_when_the_service_listens_on_no_port_then_a_port_is_proposed(tmp_path):
    changed = {
        "  app:\n": "  worker: {run: work}\n  app:\n",
        "http: POST /login": "http: POST /login\n    on: worker",
    }
    assert problems(tmp_path, target=changed) == ["operations.login.on: worker speaks nothing"]


def test_on_when_a_service_was_left_out_then_nothing_is_guessed(tmp_path):
    """Its own mistake is told; that no service speaks HTTP would only follow from it."""
    changed = {"run: uvicorn bank.app:app --port {port}": "rn: uvicorn"}
    assert problems(tmp_path, target=changed) == ["services.app.rn: unknown service: 'rn'"]


def test_on_when_it_names_a_hop_then_the_service_behind_it_is_asked_for(tmp_path):
    changed = {'id = 1", on: postgres': 'id = 1", on: db'}
    assert problems(tmp_path, target=changed) == ["probes.balance.on: unknown service 'db'"]


def test_reset_when_written_out_then_needs_no_file_and_no_template_is_seen(tmp_path):
    changed = {"{sql: reset.sql, on: postgres}": "{sql: \"UPDATE a SET b = '{1,2}'\"}"}
    (naive, _) = plans(tmp_path, target=changed)
    assert naive.target.resets[0].params == {"script": "UPDATE a SET b = '{1,2}'"}


def test_probe_when_a_brace_of_sql_is_written_twice_then_is_right(tmp_path):
    once = {"WHERE id = 1": "WHERE tags = '{a}'"}
    assert problems(tmp_path, target=once) == ["probes.balance.sql: unknown placeholder 'a'"]
    assert problems(tmp_path, target={"WHERE id = 1": "WHERE tags = '{{a}}'"}) == []
