"""Every refusal speaks both languages, and every violated field has its own message."""

import string
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from kernel import problems
from kernel.problem import ProblemError
from kernel.problems import FieldInvalid, StaleVersion, WrongState
from kernel.validation import FieldProblem, field_path, invalid

NUMBER = "990000190001010016"


def all_problems() -> list[type[ProblemError]]:
    found, waiting = [], [ProblemError]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind is not ProblemError and kind.__module__.startswith("kernel."):
            found.append(kind)
    return sorted(found, key=lambda kind: kind.slug)


@pytest.mark.parametrize("kind", all_problems(), ids=lambda kind: kind.slug)
def test_every_problem_says_in_both_languages_what_is_wrong(kind: type[ProblemError]) -> None:
    for name in ("title", "detail"):
        chinese, english = getattr(kind, f"{name}_zh"), getattr(kind, f"{name}_en")
        assert chinese
        assert english
        assert english.isascii()
        if "{" not in chinese:
            assert not chinese.isascii()
    assert placeholders(kind.detail_zh) == placeholders(kind.detail_en) or kind is FieldInvalid
    assert bool(kind.remedy_zh) == bool(kind.remedy_en)
    assert 400 <= kind.status < 600


def placeholders(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_slugs_are_unique() -> None:
    slugs = [kind.slug for kind in all_problems()]
    assert len(slugs) == len(set(slugs))


def test_the_facade_offers_every_shared_refusal() -> None:
    shared = {kind.__name__ for kind in all_problems() if kind.__module__ == "kernel.refusals"}
    assert shared <= set(problems.__all__)


def test_a_stale_version_carries_the_current_object() -> None:
    document = StaleVersion(version=4, current={"title": "新"}, field="If-Match").to_problem("en")
    assert document["status"] == 409
    assert document["version"] == 4
    assert document["current"] == {"title": "新"}


def test_a_problem_names_article_kind_and_remedy() -> None:
    problem = WrongState(state="draft", act="entry.approve", article="第十二条", kind="law")
    document = problem.to_problem("zh")
    assert document["article"] == "第十二条"
    assert document["kind"] == "law"
    assert document["remedy"]
    assert "entry.approve" in document["detail"]


def test_braces_in_values_are_shown_as_they_are() -> None:
    assert "{0}" in WrongState(state="{0}", act="x").to_problem("en")["detail"]


class NoBasis(ProblemError):  # noqa: N818
    slug = "test-no-basis"
    status = 422
    title_zh, title_en = "缺少依据", "No basis"
    detail_zh, detail_en = "须写明依据。", "A basis is needed."


class Command(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, Field(min_length=2, max_length=5)]
    days: Annotated[int, Field(ge=1, le=30)]
    kind: str = "a"
    parts: list[dict[str, int]] = []

    @field_validator("kind")
    @classmethod
    def known(cls, value: str) -> str:
        if value != "a":
            raise FieldProblem(NoBasis(article="第十九条第三款"))
        return value


def refused(value: Any) -> dict[str, Any]:
    with pytest.raises(ValidationError) as caught:
        Command.model_validate(value)
    located = [
        {**error, "loc": ("body", *error["loc"])}
        for error in caught.value.errors(include_url=False)
    ]
    return invalid(located).to_problem("en")


def test_each_violated_field_has_its_own_message() -> None:
    document = refused({"name": "x", "days": 31})
    assert [(error["field"], error["detail"]) for error in document["errors"]] == [
        ("name", "It needs at least 2 characters."),
        ("days", "It must be at most 30."),
    ]
    assert all(error["remedy"] for error in document["errors"])


def test_a_field_rule_of_the_law_keeps_its_article() -> None:
    document = refused({"name": "ab", "days": 3, "kind": "b"})
    assert document["errors"][0]["article"] == "第十九条第三款"
    assert document["errors"][0]["field"] == "kind"
    assert document["errors"][0]["type"].endswith("test-no-basis")


def test_no_value_and_no_name_that_the_caller_made_up_is_shown() -> None:
    document = refused({"name": NUMBER, "days": NUMBER, NUMBER: 1, "parts": [{NUMBER: "x"}]})
    assert NUMBER not in str(document)
    assert [error["field"] for error in document["errors"]] == ["name", "days", "parts.0.*", "*"]


@pytest.mark.parametrize(
    ("location", "path"),
    [
        (("body", "items", 0, "name"), "items.0.name"),
        (("body",), "body"),
        (("query", "limit"), "query.limit"),
        (("body", "名称"), "*"),
        (("body", "x" * 65), "*"),
        (("body", "a1234567"), "*"),
    ],
)
def test_a_path_shows_names_of_ours_alone(location: tuple[Any, ...], path: str) -> None:
    assert field_path(location) == path


def test_an_unknown_kind_of_error_still_has_a_sentence() -> None:
    document = invalid([{"type": "new_in_pydantic", "loc": ("body", "x")}]).to_problem("zh")
    assert document["errors"][0]["detail"] == "内容不符合要求。"
