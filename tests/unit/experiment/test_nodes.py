"""The tree: plain values out of it, ways through it, paths in words."""

from harness.experiment.nodes import Mapping, child, find, plain, steps, written
from harness.experiment.report import Report
from harness.experiment.source import parse


def tree(text):
    return parse(text, "f.yaml", Report())


def test_plain_when_given_a_tree_then_is_what_yaml_means():
    assert plain(tree("a: [1, {b: x}]\nc: ")) == {"a": [1, {"b": "x"}], "c": None}


def test_child_when_there_is_none_then_is_none():
    root = tree("a: [1]")
    assert child(root, "b") is None
    assert child(child(root, "a"), 1) is None
    assert child(child(root, "a"), "0") is None


def test_find_when_a_part_names_nothing_then_passes_it_over():
    root = tree("a: {b: 1}")
    assert plain(find(root, ("<tag>", "a", "more", "b"))) == 1
    assert isinstance(find(root, ()), Mapping)


def test_steps_when_walked_then_give_the_places_of_keys():
    ((_, key, part),) = steps(tree("\n  a: 1"), ("a",))
    assert (key.line, key.column, part) == (2, 3, "a")


def test_written_when_a_path_has_indices_then_they_stand_in_brackets():
    assert written(("method", 0, "fault", "latency")) == "method[0].fault.latency"
    assert written(()) == ""
