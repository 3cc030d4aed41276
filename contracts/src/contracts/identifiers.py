"""Identifiers: unified social credit codes, organisation codes, citizen numbers, our own numbers.

Check digits come from ``python-stdnum``; errors name a reason, never the value, because values may
be personal data.
"""

import re
from datetime import date
from typing import Literal, NamedTuple
from uuid import UUID

from stdnum import exceptions
from stdnum.cn import ric, uscc
from stdnum.iso7064 import mod_37_36

Reason = Literal["form", "length", "check_digit", "component"]

_RESOURCE_CODE = re.compile(r"^[1-9]\d{5,24}/\d{6}$", re.ASCII)
_REQUEST_NO = re.compile(r"^R(\d{6})-(\d{8})-([0-9A-Z]{8})([0-9A-Z])$", re.ASCII)
_FILING_NO = re.compile(r"^BA(\d{6})-([A-Z]\d[A-Z]?)-(\d{4})-(\d{6,})$", re.ASCII)
_GB11714 = re.compile(r"^([0-9A-Z]{8})-?([0-9X])$", re.ASCII)
_USCC = re.compile(r"^[0-9A-HJ-NP-RTUWXY]{2}\d{6}[0-9A-HJ-NP-RTUWXY]{10}$", re.ASCII)
_USCC_LENGTH = 18
_GB11714_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_OLD_CITIZEN_ID = 15
_SERIAL_LIMIT = 1_000_000


class IdentifierError(ValueError):
    """An identifier is wrong; ``reason`` is a code and the message holds no part of the value."""

    def __init__(self, kind: str, reason: Reason) -> None:
        super().__init__(f"{kind}: {reason}")
        self.kind = kind
        self.reason = reason


class RequestNumber(NamedTuple):
    node: str
    day: date
    code: str


class FilingNumber(NamedTuple):
    node: str
    rule: str
    year: int
    serial: int


def _reason(error: exceptions.ValidationError) -> Reason:
    if isinstance(error, exceptions.InvalidChecksum):
        return "check_digit"
    if isinstance(error, exceptions.InvalidLength):
        return "length"
    return "component" if isinstance(error, exceptions.InvalidComponent) else "form"


def check_uscc(value: str) -> str:
    """Return a unified social credit code (统一社会信用代码, GB 32100) in its plain form.

    The first two characters may be letters (registering authority, kind of body), which
    ``uscc.validate`` does not take; form is checked here, the check digit there. Raises
    ``IdentifierError``.
    """
    compact = str(uscc.compact(value))
    if len(compact) != _USCC_LENGTH:
        raise IdentifierError("uscc", "length")
    if not _USCC.fullmatch(compact):
        raise IdentifierError("uscc", "form")
    if uscc.calc_check_digit(compact) != compact[-1]:
        raise IdentifierError("uscc", "check_digit")
    return compact


def organisation_code_of(code: str) -> str:
    """Return positions 9 to 17 of a unified social credit code: the organisation code (GB 11714).

    Its own check digit is not part of the outer code's validity; ask ``check_organisation_code``.
    """
    return check_uscc(code)[8:17]


def organisation_check_digit(body: str) -> str:
    """Return the check digit of eight characters of an organisation code (GB 11714)."""
    total = sum(
        weight * int(character, 36)
        for weight, character in zip(_GB11714_WEIGHTS, body, strict=True)
    )
    return "0123456789X0"[11 - total % 11]


def check_organisation_code(value: str) -> str:
    """Return an organisation code (GB 11714) of nine characters; raises ``IdentifierError``."""
    match = _GB11714.fullmatch(value.strip().upper())
    if match is None:
        raise IdentifierError("organisation_code", "form")
    if organisation_check_digit(match[1]) != match[2]:
        raise IdentifierError("organisation_code", "check_digit")
    return match[1] + match[2]


def check_citizen_id(value: str) -> str:
    """Return a citizen number (公民身份号码, GB 11643) of 18 characters; raises ``IdentifierError``.

    An old number of 15 digits is converted. Region, birth date and check digit are all checked.
    """
    compact = value.strip().upper().replace(" ", "")
    if len(compact) == _OLD_CITIZEN_ID and compact.isascii() and compact.isdigit():
        body = f"{compact[:6]}19{compact[6:]}"
        compact = body + str(ric.calc_check_digit(body + "0"))
    try:
        return str(ric.validate(compact))
    except exceptions.ValidationError as error:
        raise IdentifierError("citizen_id", _reason(error)) from None


def citizen_check_digit_holds(value: str) -> bool:
    """Tell whether 18 characters have the form and check digit of a citizen number.

    Region and date may be impossible, as in test data; scanners for personal data want this.
    """
    compact = value.strip().upper()
    if not re.fullmatch(r"[0-9]{17}[0-9X]", compact, re.ASCII):
        return False
    return str(ric.calc_check_digit(compact)) == compact[-1]


def resource_code(region: str, *, item: str, agency_serial: int, serial: int) -> str:
    """Compose a resource code (资源代码): 3 部门, 07 省及以下, 目, region and agency, serial.

    ``item`` is the three-digit 目 of the region table. Raises ``ValueError`` out of range.
    """
    if not (0 < agency_serial < _SERIAL_LIMIT and 0 < serial < _SERIAL_LIMIT):
        raise ValueError("serials of a resource code run from 1 to 999999")
    return check_resource_code(f"307{item}{region}{agency_serial:03d}/{serial:06d}")


def check_resource_code(value: str) -> str:
    """Return a resource code unchanged; raises ``IdentifierError``."""
    if not _RESOURCE_CODE.fullmatch(value):
        raise IdentifierError("resource_code", "form")
    return value


def request_number(node: str, request_id: UUID, *, on: date) -> str:
    """Compose a request's number from its id, so that no counter is queued for.

    ``R441521-20260213-7K3M9Q2AX``: node, day, 40 random bits of the id in Crockford's base 32 and
    an ISO 7064 (Mod 37,36) check character over everything, for forms that are typed in by hand.
    """
    bits = request_id.int & ((1 << 40) - 1)
    code = "".join(_CROCKFORD[(bits >> shift) & 31] for shift in range(35, -1, -5))
    check = mod_37_36.calc_check_digit(f"{node}{on:%Y%m%d}{code}")
    return f"R{node}-{on:%Y%m%d}-{code}{check}"


def parse_request_number(value: str) -> RequestNumber:
    """Take a request's number apart; raises ``IdentifierError``."""
    match = _REQUEST_NO.fullmatch(value.strip().upper())
    if match is None:
        raise IdentifierError("request_no", "form")
    node, day, code, check = match.groups()
    if str(mod_37_36.calc_check_digit(f"{node}{day}{code}")) != check:
        raise IdentifierError("request_no", "check_digit")
    try:
        return RequestNumber(node, date(int(day[:4]), int(day[4:6]), int(day[6:])), code)
    except ValueError:
        raise IdentifierError("request_no", "component") from None


def filing_number(node: str, rule: str, *, year: int, serial: int) -> str:
    """Compose a filing's number: desk's node, rule, year and the desk's serial of that year.

    ``BA441500-F2B-2026-000123``. Raises ``ValueError`` for a serial below 1.
    """
    if serial < 1:
        raise ValueError("serials of a filing number begin at 1")
    return f"BA{node}-{rule.upper()}-{year:04d}-{serial:06d}"


def parse_filing_number(value: str) -> FilingNumber:
    """Take a filing's number apart; raises ``IdentifierError``."""
    match = _FILING_NO.fullmatch(value.strip().upper())
    if match is None:
        raise IdentifierError("filing_no", "form")
    return FilingNumber(match[1], match[2], int(match[3]), int(match[4]))
