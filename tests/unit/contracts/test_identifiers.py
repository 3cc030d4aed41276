"""Identifiers: check digits, forms, and numbers that people copy by hand."""

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric, uscc

from contracts.identifiers import (
    IdentifierError,
    check_citizen_id,
    check_organisation_code,
    check_resource_code,
    check_uscc,
    citizen_check_digit_holds,
    filing_number,
    organisation_check_digit,
    organisation_code_of,
    parse_filing_number,
    parse_request_number,
    request_number,
    resource_code,
)
from contracts.regions import load_regions

USCC_SYMBOLS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
NODES = st.sampled_from(load_regions().nodes())
DAYS = st.dates(date(2020, 1, 1), date(2099, 12, 31))


def _reason(check, value) -> str:
    with pytest.raises(IdentifierError) as raised:
        check(value)
    assert str(value) not in str(raised.value) or not value
    return raised.value.reason


@pytest.mark.parametrize("code", ["11441500MB2C000138", "91110000600037341L"])
def test_a_valid_credit_code_is_returned_in_its_plain_form(code):
    assert check_uscc(code) == code
    assert check_uscc(f" {code[:2]}-{code[2:8]} {code[8:].lower()} ") == code


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("11441500MB2C000137", "check_digit"),
        ("11441500MB2C00013", "length"),
        ("", "length"),
        ("11441500MB2C00013O", "form"),
        ("I1441500MB2C000138", "form"),
        ("1144150AMB2C000138", "form"),
        ("11441500MB2C0001三8", "form"),
    ],
)
def test_a_wrong_credit_code_is_refused_with_its_reason(code, reason):
    assert _reason(check_uscc, code) == reason


def test_registering_authorities_with_letters_are_taken():
    # GB 32100 knows authorities and kinds of body with letters, which uscc.validate refuses
    body = "N2441521MF1234567"
    assert check_uscc(body + uscc.calc_check_digit(body + "0")).startswith("N2")


@given(
    body=st.text(USCC_SYMBOLS, min_size=9, max_size=9),
    region=st.integers(100000, 999999),
    place=st.integers(0, 17),
    symbol=st.sampled_from(USCC_SYMBOLS),
)
def test_one_wrong_symbol_is_always_noticed(body, region, place, symbol):
    start = f"11{region}{body}"
    code = start + uscc.calc_check_digit(start + "0")
    assert check_uscc(code) == code
    wrong = code[:place] + symbol + code[place + 1 :]
    if wrong != code:
        assert _reason(check_uscc, wrong) in {"check_digit", "form"}


def test_the_organisation_code_inside_has_its_own_check_digit():
    inner = organisation_code_of("11441500MB2C000138")
    assert inner == "MB2C00013"
    assert check_organisation_code("MB2C0001-3") == inner
    assert organisation_check_digit("60003734") == "1"
    assert _reason(check_organisation_code, "MB2C00014") == "check_digit"
    assert _reason(check_organisation_code, "MB2C000") == "form"


@given(body=st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=8, max_size=8))
def test_every_organisation_code_with_its_check_digit_is_valid(body):
    assert check_organisation_code(body + organisation_check_digit(body)) == (
        body + organisation_check_digit(body)
    )


def test_people_of_the_fixtures_are_impossible_but_their_check_digits_hold():
    for number in ("990000190001010016", "441502190001019997"):
        assert citizen_check_digit_holds(number)
    assert _reason(check_citizen_id, "990000190001010016") == "component"


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("441502190001019998", "check_digit"),
        ("44150219000101999", "length"),
        ("", "length"),
        ("44150219000101A997", "form"),
    ],
)
def test_a_wrong_citizen_number_is_refused_and_never_repeated_in_the_message(number, reason):
    assert _reason(check_citizen_id, number) == reason


def test_an_old_number_of_fifteen_digits_is_converted():
    # region, birth date and sequence of nobody: 1 January 1900
    body = "44150219000101999"
    old = body[:6] + body[8:]
    with pytest.raises(IdentifierError) as raised:
        check_citizen_id(old)
    assert raised.value.reason == "component"  # the region did not exist in 1900
    assert ric.calc_check_digit(body + "0") == "7"


@given(body=st.text("0123456789", min_size=17, max_size=17), place=st.integers(0, 16))
def test_a_scanner_finds_every_number_with_a_right_check_digit_and_no_other(body, place):
    number = body + str(ric.calc_check_digit(body + "0"))
    assert citizen_check_digit_holds(number)
    digit = (int(number[place]) + 1) % 10
    assert not citizen_check_digit_holds(number[:place] + str(digit) + number[place + 1 :])


@given(agency=st.integers(1, 999_999), serial=st.integers(1, 999_999), node=NODES)
def test_a_resource_code_has_its_form_and_its_parts(agency, serial, node):
    code = resource_code(node, item="044", agency_serial=agency, serial=serial)
    assert check_resource_code(code) == code
    prefix, _, tail = code.partition("/")
    assert prefix.startswith(f"307044{node}")
    assert int(tail) == serial


@pytest.mark.parametrize(("agency", "serial"), [(0, 1), (1, 0), (1, 1_000_000), (1_000_000, 1)])
def test_a_resource_code_out_of_range_is_refused(agency, serial):
    with pytest.raises(ValueError, match="999999"):
        resource_code("441521", item="044", agency_serial=agency, serial=serial)


@pytest.mark.parametrize(
    "code", ["", "307", "3070220200043", "3070220200043/89", "０70/000089", "307022020/000089\n"]
)
def test_a_resource_code_of_another_form_is_refused(code):
    assert _reason(check_resource_code, code) == "form"


def test_a_resource_code_of_the_provincial_portal_has_our_form_too():
    assert check_resource_code("3070220200043/000089")


@given(node=NODES, bits=st.integers(0, (1 << 128) - 1), day=DAYS)
def test_a_request_number_can_be_read_back(node, bits, day):
    number = request_number(node, UUID(int=bits), on=day)
    parsed = parse_request_number(f" {number.lower()} ")
    assert (parsed.node, parsed.day) == (node, day)
    assert number.isascii()


@given(bits=st.integers(0, (1 << 40) - 1), place=st.integers(1, 24))
def test_a_slip_of_the_pen_in_a_request_number_is_noticed(bits, place):
    number = request_number("441521", UUID(int=bits), on=date(2026, 2, 13))
    if number[place] == "-":
        return
    wrong = number[:place] + ("1" if number[place] == "0" else "0") + number[place + 1 :]
    assert _reason(parse_request_number, wrong) in {"check_digit", "component", "form"}


@given(node=NODES, year=st.integers(2025, 2099), serial=st.integers(1, 9_999_999))
def test_a_filing_number_can_be_read_back(node, year, serial):
    number = filing_number(node, "F2b", year=year, serial=serial)
    parsed = parse_filing_number(number)
    assert (parsed.node, parsed.rule, parsed.year, parsed.serial) == (node, "F2B", year, serial)


def test_filing_numbers_begin_at_one_and_have_a_form():
    with pytest.raises(ValueError, match="begin at 1"):
        filing_number("441500", "F1", year=2026, serial=0)
    for number in ("", "BA441500-2026-1", "XX441500-F1-2026-000001"):
        assert _reason(parse_filing_number, number) == "form"
