"""Substring search over Chinese text: folding, bigram tokens, and how much of the table to read.

Chinese has no spaces, dictionaries lose recall, and a trigram index finds no two-character word,
so the index holds overlapping pairs of characters (bigrams) of the folded text. A query is the
conjunction of its pairs; what the index finds is checked against the text itself.

Rows lie in five disjoint levels of 1/256, 3/256, 12/256, 48/256 and 192/256 of the table, chosen
by a digest of the entry's id, with an index each. The first levels together are therefore an
unbiased sample: a query reads level 0, sees how common it is, and then reads as many levels as
give it enough matches. A rare query reads all of them and is exact; a common one is answered from
a sample, whose counts are marked as such. Either way the rows read are bounded.
"""

import hashlib
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

LEVELS = 5
SAMPLE_SHARES = (1 / 256, 4 / 256, 16 / 256, 64 / 256, 1.0)
ENOUGH = 600
FEW_TITLES = 4
COUNT_SHOWN_UP_TO = 10_000
MAX_TERMS = 8
MAX_QUERY = 64

DIMENSIONS = (
    "node",
    "department",
    "region",
    "theme",
    "share_type",
    "open_attr",
    "update_frequency",
    "data_form",
)
TITLE_MARK = "\x02"
FACET_MARK = "\x01"
EVERY_ENTRY = FACET_MARK + "*"
FIELD_END = "\n"

Relation = Literal["exact", "about", "at_least"]


@lru_cache(maxsize=65_536)
def _fold_character(character: str) -> str:
    folded = unicodedata.normalize("NFKC", character).casefold()
    return "".join(c for c in folded if not c.isspace() and unicodedata.category(c) != "Cc")


def fold(text: str) -> str:
    """Return the text as it is indexed: width and case folded, without blanks.

    Character by character, so that the folded part of a text is a part of the folded text.
    """
    return "".join(map(_fold_character, text))


def terms_of(query: str) -> tuple[str, ...]:
    """Return the folded terms of a query; blanks separate them, all must be found."""
    folded = (fold(part) for part in query[:MAX_QUERY].split())
    return tuple(dict.fromkeys(term for term in folded if term))[:MAX_TERMS]


def tokens_of(folded: str) -> tuple[str, ...]:
    """Return the distinct tokens of a folded field.

    Every pair of characters, the last one paired with its end; of runs of Latin letters and
    digits every triple besides, because a year's pairs stand in every other year.
    """
    ended = folded + FIELD_END
    pairs = (ended[i : i + 2] for i in range(len(folded)))
    return tuple(dict.fromkeys((*pairs, *_triples(folded))))


def _triples(folded: str) -> tuple[str, ...]:
    found = (folded[i : i + 3] for i in range(len(folded) - 2))
    return tuple(triple for triple in found if triple.isascii() and triple.isalnum())


def body_of(title: str, *fields: str) -> str:
    """Return the indexed text: title and fields, folded, each ended; empty ones left out."""
    folded = (fold(field) for field in (title, *fields))
    return "".join(field + FIELD_END for field in folded if field)


def facet_id(dimension: str, code: str) -> int:
    """Return the number of a facet value: 63 bits of a digest, so that nobody hands them out."""
    digest = hashlib.sha256(f"{dimension}\x00{code}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def level_of(entry_id: str) -> int:
    """Return the level of an entry by a digest of its id."""
    bucket = hashlib.sha256(entry_id.encode()).digest()[0]
    return next(i for i, bound in enumerate((1, 4, 16, 64, 256)) if bucket < bound)


def _quoted(lexeme: str) -> str:
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def tokens_query(
    terms: tuple[str, ...], filters: tuple[tuple[int, ...], ...] = (), *, mark: str = ""
) -> str:
    """Return the tsquery of terms and filters; ``mark`` restricts the terms to titles.

    ``filters`` holds a tuple of facet numbers for each restricted dimension: any of them.
    """
    parts = []
    for term in terms:
        if len(term) == 1:
            parts.append(_quoted(mark + term) + ":*")
        else:
            pairs = (term[i : i + 2] for i in range(len(term) - 1))
            tokens = dict.fromkeys((*pairs, *_triples(term)))
            parts.extend(_quoted(mark + token) for token in tokens)
    parts.extend(
        "(" + "|".join(_quoted(f"{FACET_MARK}{value}") for value in group) + ")"
        for group in filters
    )
    return "&".join(parts) or _quoted(EVERY_ENTRY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a query is read: the first ``levels`` levels, and all titles besides when they are few."""

    levels: int
    all_titles: bool

    @property
    def exact(self) -> bool:
        return self.levels == LEVELS

    @property
    def share(self) -> float:
        return SAMPLE_SHARES[self.levels - 1]


def choose_reading(in_level_0: int, titles_in_level_0: int) -> Reading:
    """Return how much to read, given the matches found in level 0."""
    for levels in range(1, LEVELS):
        if in_level_0 * SAMPLE_SHARES[levels - 1] / SAMPLE_SHARES[0] >= ENOUGH:
            return Reading(levels=levels, all_titles=titles_in_level_0 < FEW_TITLES)
    return Reading(levels=LEVELS, all_titles=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """How many entries match; ``at_least`` is shown as ``10,000+``."""

    value: int
    relation: Relation


def total_of(counted: int, reading: Reading) -> Total:
    """Return the total shown for ``counted`` matches in the levels read."""
    if reading.exact:
        return Total(value=counted, relation="exact")
    estimate = round(counted / reading.share)
    if estimate >= COUNT_SHOWN_UP_TO:
        return Total(value=COUNT_SHOWN_UP_TO, relation="at_least")
    return Total(value=max(counted, _rounded(estimate)), relation="about")


def scaled(counted: int, reading: Reading) -> int:
    """Return a facet's count for the whole table."""
    return counted if reading.exact else max(counted, _rounded(round(counted / reading.share)))


def _rounded(value: int) -> int:
    """Round an estimate to two digits, so that it does not look counted."""
    digits = len(str(value)) - 2
    return value if digits <= 0 else round(value, -digits)
