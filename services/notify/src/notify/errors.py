"""Refusals of notify."""

from kernel.problems import FieldInvalid, ProblemError, WrongState


class FilingMoveNotOpen(WrongState):
    """The act is not open in the filing's state; ``extra["open_acts"]`` names those that are."""

    slug = "filing-move-not-open"
    title_zh, title_en = "备案状态不允许此操作", "The filing's state does not allow this"


class ReasonMissing(FieldInvalid):
    slug = "reason-missing"
    title_zh, title_en = "缺少理由", "Reason missing"
    detail_zh = "退回补正须写明需补正的内容。"
    detail_en = "A return for completion says what is to be completed."
    remedy_zh, remedy_en = "填写退回理由。", "Fill in the reason."


class ExternalNumberMissing(FieldInvalid):
    slug = "external-number-missing"
    title_zh, title_en = "缺少外部备案号", "External number missing"
    detail_zh = "平台外主管部门的回执号须由经办人录入。"
    detail_en = "The number that the authority outside the platform gave must be entered."
    remedy_zh, remedy_en = "录入对方回执上的编号。", "Enter the number on its receipt."


class CalendarInvalid(FieldInvalid):
    """The imported schedule is not one whole year that can be joined to the calendar in force."""

    slug = "calendar-invalid"
    title_zh, title_en = "工作日安排有误", "The schedule is not usable"


class CalendarDecided(WrongState):
    slug = "calendar-decided"
    title_zh, title_en = "该日历提案已有结论", "The proposal has been decided"


class CalendarSuperseded(ProblemError):
    """Another version came into force since the proposal was made; its preview is not true."""

    slug = "calendar-superseded"
    status = 409
    title_zh, title_en = "提案所依据的日历已更新", "The calendar in force has changed"
    detail_zh = "提案依据版本 {base}，现行版本为 {current}。"
    detail_en = "The proposal was made on version {base}; version {current} is now in force."
    remedy_zh, remedy_en = "重新导入该年安排。", "Import the year's schedule again."


class NotTheCity(ProblemError):
    """Only the city keeps the calendar; counties receive it."""

    slug = "not-the-city"
    status = 409
    title_zh, title_en = "仅市级节点维护日历", "Only the city keeps the calendar"
    detail_zh = "工作日历由市级节点（{city}）维护并下发。"
    detail_en = "The calendar is kept and distributed by the city's node ({city})."
    remedy_zh, remedy_en = "请由市级主管部门办理。", "Ask the city's authority."
