"""The token of a delivery call: whose key, which grant, which node, how long, how often."""

from datetime import timedelta

import pytest
from joserfc.jwk import ECKey, OKPKey

from kernel.problems import (
    TokenExpired,
    TokenForeign,
    TokenInvalid,
    TokenNotYetValid,
    Unauthenticated,
)
from kernel.tokens import encode
from sharing.delivery.errors import TokenTooLong
from sharing.delivery.tokens import bearer_of, verify
from sharing.grants.domain import Grant
from tests.support.sharing_world import HAIFENG, LUFENG, MORNING, reference

KEY = OKPKey.generate_key("Ed25519", private=True)
CURVE = ECKey.generate_key("P-256", private=True)
GRANT_ID = "019a7b00-0000-7000-8000-00000000aaaa"
NOW = MORNING.timestamp()


def grant(key=KEY) -> Grant:
    import json  # noqa: PLC0415

    return Grant(
        side="issued",
        grant_id=GRANT_ID,
        request_id="r",
        entry_id="e",
        entry_version=1,
        items=("code",),
        purpose="p",
        mode="api",
        holder=reference(f"{HAIFENG}-a", HAIFENG),
        source=reference(f"{LUFENG}-a", LUFENG),
        system_id="duty-1",
        public_jwk=json.dumps(key.as_dict(private=False)),
        valid_from=MORNING,
        valid_until=MORNING + timedelta(days=1),
        delivery_url="",
        rule_version="v",
    )


def claims(**more):
    given = {
        "iss": "duty-1",
        "sub": GRANT_ID,
        "aud": f"yiwang:{LUFENG}",
        "exp": NOW + 60,
        "jti": "call-1",
    }
    return {name: value for name, value in {**given, **more}.items() if value is not None}


def checked(token: str, *, of: Grant | None = None):
    return verify(token, of or grant(), node=LUFENG, now=MORNING, longest=300)


@pytest.mark.parametrize(("key", "algorithm"), [(KEY, "EdDSA"), (CURVE, "ES256")])
def test_a_token_signed_by_the_using_system_is_good_for_its_grant(key, algorithm):
    token = encode(claims(), key, algorithm=algorithm)
    found = checked(token, of=grant(key))
    assert found.expires_at.timestamp() == NOW + 60
    assert len(found.digest) == 64


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"iss": "another-system"}, TokenForeign),
        ({"aud": f"yiwang:{HAIFENG}"}, TokenForeign),
        ({"aud": [f"yiwang:{LUFENG}", f"yiwang:{HAIFENG}"]}, TokenForeign),
        ({"sub": "019a7b00-0000-7000-8000-00000000bbbb"}, TokenInvalid),
        ({"sub": None}, TokenInvalid),
        ({"exp": NOW - 1}, TokenExpired),
        ({"exp": None}, TokenInvalid),
        ({"exp": NOW + 301}, TokenTooLong),
        ({"nbf": NOW + 60}, TokenNotYetValid),
        ({"jti": None}, TokenInvalid),
        ({"jti": ""}, TokenInvalid),
        ({"jti": "x" * 201}, TokenInvalid),
        ({"jti": 7}, TokenInvalid),
    ],
)
def test_a_token_for_something_else_is_refused(changes, error):
    with pytest.raises(error):
        checked(encode(claims(**changes), KEY, algorithm="EdDSA"))


def test_a_token_signed_by_another_key_is_refused():
    other = OKPKey.generate_key("Ed25519", private=True)
    with pytest.raises(TokenInvalid):
        checked(encode(claims(), other, algorithm="EdDSA"))


def test_an_algorithm_that_does_not_fit_the_key_is_refused():
    with pytest.raises(TokenInvalid):
        checked(encode(claims(), CURVE, algorithm="ES256"))
    unsigned = "eyJhbGciOiJub25lIn0." + encode(claims(), KEY, algorithm="EdDSA").split(".")[1] + "."
    with pytest.raises(TokenInvalid):
        checked(unsigned)


def test_a_changed_token_is_refused():
    head, body, signature = encode(claims(), KEY, algorithm="EdDSA").split(".")
    with pytest.raises(TokenInvalid):
        checked(f"{head}.{body[:-2]}AA.{signature}")


@pytest.mark.parametrize("header", [None, "", "Basic abc", "Bearer", "Bearer  "])
def test_a_call_without_token_is_refused(header):
    with pytest.raises(Unauthenticated):
        bearer_of(header)


def test_two_calls_with_the_same_jti_have_the_same_mark():
    first = checked(encode(claims(), KEY, algorithm="EdDSA"))
    again = checked(encode(claims(exp=NOW + 120), KEY, algorithm="EdDSA"))
    other = checked(encode(claims(jti="call-2"), KEY, algorithm="EdDSA"))
    assert first.digest == again.digest != other.digest
