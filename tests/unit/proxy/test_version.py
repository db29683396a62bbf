"""Versions: what scripts compare, and who says it."""

import re

from harness.proxy.version import COMPATIBLE_WITH, line


def test_line_when_printed_then_scripts_find_a_plain_version():
    assert re.fullmatch(r"toxiproxy-server version \d+\.\d+\.\d+ \(harness proxy \S+\)", line())


def test_version_when_compared_then_is_one_whose_clients_send_patch():
    assert tuple(map(int, COMPATIBLE_WITH.split("."))) >= (2, 6, 0)
