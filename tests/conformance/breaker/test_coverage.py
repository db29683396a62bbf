"""Every numbered case of the contract has a test that carries its number."""

import re
from pathlib import Path

CASES = {f"C-{number:02}" for number in range(1, 66)}


def test_case_when_in_the_contract_then_has_a_test_of_its_number():
    found = {
        number
        for path in Path(__file__).parent.glob("test_*.py")
        for arguments in re.findall(r"@case\(([^)]*)\)", path.read_text())
        for number in re.findall(r"C-\d{2}", arguments)
    }
    assert sorted(CASES - found) == []
    assert sorted(found - CASES) == []
