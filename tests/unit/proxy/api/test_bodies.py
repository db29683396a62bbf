"""Bodies: keys in any case, strict types, and numbers that are cheap to write and dear to expand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.proxy.api.bodies import proxy_spec, proxy_specs, toxic_spec
from harness.proxy.states import ProxySpec, Refused


def test_proxy_when_keys_are_in_any_case_then_the_last_one_wins():
    spec = proxy_spec(b'{"name":"a","NAME":"b","name":"c","Upstream":"u","x":[1]}')
    assert spec == ProxySpec(name="c", upstream="u")


@pytest.mark.parametrize("body", [b"null", b"{}", b'{"name":null,"toxics":null,"enabled":null}'])
def test_proxy_when_null_then_nothing_is_given(body):
    assert proxy_spec(body) == ProxySpec()


@pytest.mark.parametrize(
    "body",
    [
        b"", b"  ", b"{", b"[]", b"1", b'"x"', b"{} x", b"\xff", b'{"name":1}', b'{"name":"\\ud800"}',
        b'{"enabled":1}', b'{"toxics":{}}', b'{"toxics":[1]}', b"[" * 100_000, b'{"a":NaN}',
    ],
)  # fmt: skip
def test_proxy_when_body_is_wrong_then_is_refused_with_a_reason(body):
    with pytest.raises(Refused, match=r"^bad request body: .+") as refused:
        proxy_spec(body)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("written", "value"),
    [(b"0", 0), (b"-5", -5), (b"10.0", 10), (b"1e3", 1000), (b"9223372036854775807", 2**63 - 1),
     (b"-9223372036854775808", -(2**63))],
)  # fmt: skip
def test_attribute_when_integral_then_is_a_whole_number(written, value):
    assert toxic_spec(b'{"attributes":{"Latency":' + written + b"}}").attributes == {
        "latency": value
    }


@pytest.mark.parametrize(
    "written",
    [b"10.5", b"1e-1", b"9223372036854775808", b"1e999999999", b"true", b'"1"', b"[]", b"9" * 5000],
)
def test_attribute_when_no_whole_number_of_64_bits_then_is_refused(written):
    with pytest.raises(Refused):
        toxic_spec(b'{"attributes":{"latency":' + written + b"}}")


@pytest.mark.parametrize("written", [b'"1"', b"true", b"1e40", b"-1e400", b"[]"])
def test_toxicity_when_no_32_bit_number_then_is_refused(written):
    with pytest.raises(Refused):
        toxic_spec(b'{"toxicity":' + written + b"}")


def test_list_when_null_then_is_empty_and_an_object_is_none():
    assert proxy_specs(b"null") == proxy_specs(b"[]") == []
    with pytest.raises(Refused):
        proxy_specs(b'{"proxies":[]}')


@given(st.binary(max_size=60))
def test_body_when_arbitrary_then_is_read_or_refused_never_worse(body):
    for read in (proxy_spec, proxy_specs, toxic_spec):
        try:
            read(body)
        except Refused as refused:
            assert refused.status == 400  # noqa: PT017 - any other exception fails the test
