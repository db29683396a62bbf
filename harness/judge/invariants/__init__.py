"""The kinds of invariants, one a file; the word in YAML is the file's name."""

from harness.judge.judgement import Invariant
from harness.kinds import Registry

INVARIANTS: Registry[Invariant] = Registry(
    package="harness.judge.invariants", group="harness.invariants"
)
