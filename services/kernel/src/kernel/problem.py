"""The base of typed errors and their one mapping to RFC 9457 problem+json."""

from typing import Any, ClassVar


class ProblemError(Exception):
    """A refusal that names field, article and remedy.

    Subclasses set ``slug`` (the stable end of ``type``), ``status``, ``title_zh``/``title_en``
    and the two ``detail`` templates, filled from keyword arguments. Values of personal data are
    never arguments. ``errors`` holds one problem for each violated field.
    """

    slug: ClassVar[str] = "problem"
    status: ClassVar[int] = 400
    title_zh: ClassVar[str] = ""
    title_en: ClassVar[str] = ""
    detail_zh: ClassVar[str] = ""
    detail_en: ClassVar[str] = ""
    remedy_zh: ClassVar[str] = ""
    remedy_en: ClassVar[str] = ""
    headers: ClassVar[dict[str, str]] = {}

    def __init__(
        self,
        *,
        field: str | None = None,
        article: str | None = None,
        kind: str | None = None,
        errors: "list[ProblemError] | None" = None,
        extra: dict[str, Any] | None = None,
        **values: Any,
    ) -> None:
        super().__init__(self.slug)
        self.field = field
        self.article = article
        self.kind = kind
        self.errors = errors or []
        self.extra = extra or {}
        self.values = values

    def to_problem(self, language: str) -> dict[str, Any]:
        """Return the problem document; ``language`` is ``zh`` or ``en``.

        ``kind`` (``law`` or ``policy``) tells whether an article or a switchable guard refuses.
        """
        zh = language.startswith("zh")
        values = {key: str(value) for key, value in self.values.items()}
        document: dict[str, Any] = {
            "type": f"urn:yiwang:problem:{self.slug}",
            "title": self.title_zh if zh else self.title_en,
            "status": self.status,
            "detail": (self.detail_zh if zh else self.detail_en).format(**values),
        }
        remedy = (self.remedy_zh if zh else self.remedy_en).format(**values)
        optional = {
            "remedy": remedy,
            "field": self.field,
            "article": self.article,
            "kind": self.kind,
            "errors": [error.to_problem(language) for error in self.errors],
        }
        document.update({key: value for key, value in optional.items() if value})
        document.update(self.extra)
        return document
