"""``harness proxy``: what its command line lets through to the daemon."""

from pathlib import Path

import pytest

from harness.cli import main
from harness.proxy import daemon
from harness.proxy.__main__ import main as module_main
from harness.proxy.flags import Settings


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Where the daemon was asked to listen."""
    asked: list[tuple[str, int]] = []

    def run(settings: Settings) -> int:
        assert settings.seed == 0
        asked.append((settings.host, settings.port))
        return 0

    monkeypatch.setattr(daemon, "run", run)
    return asked


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "::1"])
def test_proxy_when_its_host_is_loopback_then_it_serves(
    served: list[tuple[str, int]], host: str
) -> None:
    assert main(["proxy", "--host", host]) == 0
    assert served == [(host, 8474)]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "box.example", ""])
def test_proxy_when_others_could_reach_it_then_exit_2_unless_allowed(
    served: list[tuple[str, int]], host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["proxy", "--host", host]) == 2
    said = capsys.readouterr().err
    assert "no password" in said
    assert "--allow-remote" in said
    assert served == []
    assert main(["proxy", "--host", host, "--allow-remote"]) == 0
    assert served == [(host, 8474)]


@pytest.mark.parametrize(
    ("port", "says"),
    [
        ("99999", "99999 is no port; write 0 to 65535"),
        ("-1", "-1 is no port"),
        ("x", "invalid port value: 'x'"),
    ],
)
def test_proxy_when_its_port_cannot_be_then_exit_2_and_the_range(
    served: list[tuple[str, int]], port: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["proxy", f"--port={port}"]) == 2
    assert says in capsys.readouterr().err
    assert served == []


def test_proxy_when_given_flags_then_the_daemon_gets_them_as_the_module_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole_settings: list[Settings] = []

    def run(settings: Settings) -> int:
        whole_settings.append(settings)
        return 0

    monkeypatch.setattr(daemon, "run", run)
    flags = ["-port", "7", "-seed", "3", "-proxy-metrics", "-allow-host", "a", "-config", "p.json"]
    assert main(["proxy", *flags]) == 0
    assert module_main(flags) == 0
    assert whole_settings[0] == whole_settings[1]
    assert whole_settings[0] == Settings(
        port=7, seed=3, proxy_metrics=True, allowed_hosts=("a",), config=Path("p.json")
    )
