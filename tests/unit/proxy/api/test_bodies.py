"""Bodies: keys in any case, strict types, and numbers that are cheap to write and dear to expand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.units import Duration
from harness.proxy.api.bodies import (
    DECODER,
    new_lease,
    proxy_entry,
    proxy_spec,
    proxy_specs,
    renewed_lease,
    toxic_spec,
)
from harness.proxy.blueprint import new_toxic
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
        new_toxic(toxic_spec(b'{"type":"latency","attributes":{"latency":' + written + b"}}"), ())


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
    for read in (proxy_spec, proxy_specs, toxic_spec, new_lease, renewed_lease):
        try:
            read(body)
        except Refused as refused:
            assert refused.status == 400  # noqa: PT017 - any other exception fails the test


@pytest.mark.parametrize("read", [proxy_spec, toxic_spec])
def test_extensions_when_given_then_come_raw_with_null_and_without_what_is_unknown(read):
    body = b'{"LEASE":null,"max_connections":"x","Seed":1,"match":{"Header":"h"},"other":1}'
    found = read(body).extensions
    known = {"lease": None, "max_connections": "x", "seed": 1, "match": {"header": "h"}}
    assert found.items() <= known.items()
    assert "lease" in found
    assert len(found) == (2 if read is proxy_spec else 3)
    assert read(b"{}").extensions == {}


@pytest.mark.parametrize(
    "body",
    [b'{"match":{"header":"\\ud800"}}', b'{"x":["\\udfff"]}', b'{"\\ud800":1}',
     b'{"x":"\\u00e9\\ud834"}'],
)  # fmt: skip
def test_text_when_half_a_surrogate_pair_then_is_refused_wherever_it_stands(body):
    for read in (toxic_spec, proxy_spec, renewed_lease):
        with pytest.raises(Refused, match="half a surrogate pair"):
            read(body)
    with pytest.raises(Refused, match="half a surrogate pair"):
        proxy_entry(DECODER.decode(body.decode()))
    assert toxic_spec(b'{"name":"\\ud834\\udd1e"}').name == "\U0001d11e"


def test_lease_when_asked_for_then_has_owner_and_ttl():
    assert new_lease(b'{"TTL":100,"owner":"run 12"}') == ("run 12", Duration.of_ms(100))
    assert new_lease(b'{"ttl":3600000,"owner":null}') == ("", Duration.of_s(3_600))
    assert renewed_lease(b'{"owner":"x"}') is None
    assert renewed_lease(b'{"ttl":null}') is None
    assert renewed_lease(b'{"ttl":1e3}') == Duration.of_s(1)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{}", "missing required field: ttl"),
        (b'{"ttl":null}', "missing required field: ttl"),
        (b"", "bad request body: EOF"),
        (b"[]", "bad request body: cannot unmarshal array"),
        (b'{"ttl":99}', "bad request body: ttl: 99 is out of range, use 100 to 3600000 ms"),
        (b'{"ttl":3600001}', "bad request body: ttl: 3600001 is out of range"),
        (b'{"ttl":"5s"}', "bad request body: ttl: cannot unmarshal text into a number"),
        (b'{"ttl":true}', "bad request body: ttl: cannot"),
        (b'{"ttl":1e99999999999999999999}', "bad request body: 1e99999999999999999999 has an exp"),
        (b'{"ttl":100,"owner":7}', "bad request body: cannot unmarshal number into owner, a text"),
        (b'{"ttl":100,"owner":"' + b"x" * 1025 + b'"}', "bad request body: owner is longer"),
    ],
)
def test_lease_when_it_cannot_be_then_says_why(body, says):
    with pytest.raises(Refused) as refused:
        new_lease(body)
    assert str(refused.value).startswith(says)
    assert refused.value.status == 400
