from harness.expressions.parse import parse


def test_names_when_several_then_are_in_order_of_mention_and_each_once():
    parsed = parse("b + a.b[c] + max(a, d) == b")
    assert parsed.names == ("b", "a", "c", "d")


def test_names_when_keys_or_operations_then_are_not_among_them():
    parsed = parse("json.status == acknowledged(withdraw)")
    assert (parsed.names, parsed.counted) == (("json",), ("withdraw",))


def test_counted_when_written_as_text_then_may_have_a_hyphen():
    assert parse("rejected('log-in') == 0").counted == ("log-in",)


def test_counts_rejected_when_only_acknowledged_is_counted_then_is_false():
    parsed = parse("acknowledged(a) == rejected(b)")
    assert not parsed.counts_rejected("a")
    assert parsed.counts_rejected("b")
    assert parsed.counts("acknowledged", "a")


def test_column_of_when_mentioned_then_is_where_it_stands_first():
    parsed = parse("1 + balance == 10 * acknowledged(withdraw)")
    assert parsed.column_of("balance") == 5
    assert parsed.column_of("withdraw") == 21
    assert parsed.column_of("nothing") == 1


def test_text_of_when_a_part_then_is_its_very_source():
    parsed = parse("a ==  (b +  c)")
    assert str(parsed) == "a ==  (b +  c)"
    assert parsed.text_of(parsed.root.operands[1]) == "(b +  c)"
