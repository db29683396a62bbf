from harness.expressions.parse import parse
from harness.expressions.tree import Constant, Counted, Name, children, walk

SOURCE = "-a.b[c] + max(1, 2) in [3, acknowledged(w)] if not d < 4 else 5"


def test_walk_when_every_kind_of_node_then_meets_every_leaf_in_order():
    leaves = [
        node.name if isinstance(node, Name) else getattr(node, "value", "count")
        for node in walk(parse(SOURCE).root)
        if isinstance(node, Name | Constant | Counted)
    ]
    assert leaves == ["a", "c", 1, 2, 3, "count", "d", 4, 5]


def test_depth_when_a_node_has_parts_then_is_beyond_that_of_each():
    for node in walk(parse(SOURCE).root):
        assert all(child.depth < node.depth for child in children(node))


def test_place_when_a_node_has_parts_then_holds_theirs():
    for node in walk(parse(SOURCE).root):
        assert all(node.start <= child.start and child.end <= node.end for child in children(node))
