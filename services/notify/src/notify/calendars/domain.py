"""A new version of the calendar: one whole year's schedule, or days that an order exempts.

Reading and checking a schedule is ``contracts.calendar_import``; here stands what a proposal is,
how its version is called, and how findings are said.
"""

import re
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from contracts.calendar import Calendar
from contracts.calendar_document import CalendarDocument, ExemptionDocument, build, model_of
from contracts.calendar_import import Finding, Schedule, ScheduleError, apply, check

_VERSION = re.compile(r"^(?P<name>.+)-(?P<year>\d{4})\.(?P<serial>\d+)$")

FINDINGS: dict[str, tuple[str, str]] = {
    "year_not_next": (
        "只能导入现行日历之后的一年，或者更正其最后一年",
        "only the year after the calendar in force can be imported, or its last one corrected",
    ),
    "outside_year": ("日期不属于该年度安排", "the day does not belong to the year's schedule"),
    "works_anyway": ("该日本为工作日，不是调休上班日", "the day is a working day anyway"),
    "statutory_not_off": ("法定节假日未列为休息日", "a statutory holiday is not listed as off"),
    "statutory_unknown": (
        "无该年法定节假日估计，无法对照",
        "the statutory holidays of the year are not known, nothing to compare with",
    ),
    "moved_days_differ": (
        "调休上班天数与调出的休息天数不等",
        "make-up working days and moved days off differ in number",
    ),
    "persons_missing": ("确认人数不足", "persons are missing who confirm it"),
    "same_person": ("导入人不得自行确认", "the importer cannot confirm it"),
    "exemption_outside": ("例外日不在日历期限内", "the exemption lies outside the calendar"),
    "nothing_proposed": ("须导入年度安排或者例外日", "a schedule or an exemption is needed"),
}


class Content(BaseModel):
    """What a proposal changes; ``exemptions`` need the number of the order behind them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schedule: Schedule | None = None
    exemptions: tuple[ExemptionDocument, ...] = ()

    @property
    def source_document(self) -> str:
        """The number of the notice or order."""
        if self.schedule is not None:
            return self.schedule.source
        return self.exemptions[0].document if self.exemptions else ""

    def confirm(self, person: str) -> "Content":
        """Return the proposal with one more person; a schedule names them in the calendar."""
        if self.schedule is None:
            return self
        return self.model_copy(update={"schedule": self.schedule.confirm(person)})


def said(code: str) -> tuple[str, str]:
    """Return what a finding means, in Chinese and English."""
    return FINDINGS.get(code, (f"安排有误（{code}）", f"the schedule is not usable ({code})"))


def findings_of(content: Content, current: Calendar) -> tuple[Finding, ...]:
    """Return what is wrong or worth a look, errors first."""
    found = list(check(content.schedule, current)) if content.schedule else []
    last = _last_year(content, current)
    found += [
        Finding(severity="error", code="exemption_outside", day=each.day)
        for each in content.exemptions
        if not current.first.year <= each.day.year <= last
    ]
    if content.schedule is None and not content.exemptions:
        found.append(Finding(severity="error", code="nothing_proposed"))
    return tuple(sorted(found, key=lambda each: each.severity))


def _last_year(content: Content, current: Calendar) -> int:
    return max(current.horizon.year, content.schedule.year if content.schedule else 0)


def proposed(
    content: Content, current: Calendar, *, version: str, issuer: str, confirmations: int
) -> Calendar:
    """Return the whole calendar with the proposal in it.

    Raises ``ScheduleError`` while errors stand or fewer than ``confirmations`` persons stand for
    a schedule.
    """
    for finding in findings_of(content, current):
        if finding.severity == "error":
            raise ScheduleError(str(finding.day or "schedule"), finding.code)
    calendar = current
    if content.schedule is not None:
        calendar = apply(content.schedule, current, version=version, confirmations=confirmations)
    document = model_of(calendar)
    given = {each.day for each in content.exemptions}
    kept = [each for each in document.exemptions if each.day not in given]
    exemptions = sorted((*kept, *content.exemptions), key=lambda each: each.day)
    return build(
        CalendarDocument(
            version=version,
            issuer=issuer,
            years=document.years,
            statutory=document.statutory,
            exemptions=tuple(exemptions),
        )
    )


def next_version(content: Content, current: Calendar, *, taken: Sequence[str]) -> str:
    """Return the name of the next version: ``cn-2027.1`` after ``cn-2026.3``."""
    last = _last_year(content, current)
    match = _VERSION.match(current.version)
    name = match["name"] if match else current.version
    serials = [
        int(found["serial"])
        for found in map(_VERSION.match, (current.version, *taken))
        if found and found["name"] == name and int(found["year"]) == last
    ]
    return f"{name}-{last}.{max(serials, default=0) + 1}"
