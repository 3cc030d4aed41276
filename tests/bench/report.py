"""Figures of the benchmarks: one table for people, one committed file for comparison.

A group is a module ``tests/bench/<group>.py`` with ``def figures() -> list[Figure]``; the names of
its figures start with the group and a dot. ``python -m tests.bench [group…]`` runs them.
"""

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table

LAST = Path(__file__).with_name("last.json")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured number.

    ``floor`` is the same thing measured without our part (a bare endpoint, an idle process), and
    ``ratio`` is value to floor. ``spread`` is half the distance between the quartiles of the runs.
    """

    name: str
    value: float
    unit: str
    target: float
    better: Literal["higher", "lower"]
    floor: float | None = None
    ratio: float | None = None
    spread: float | None = None
    runs: int = 1

    @property
    def reached(self) -> bool:
        measured = self.ratio if self.unit == "ratio" and self.ratio is not None else self.value
        return measured >= self.target if self.better == "higher" else measured <= self.target


def median_figure(
    name: str,
    values: Sequence[float],
    *,
    unit: str,
    target: float,
    better: Literal["higher", "lower"],
    floors: Sequence[float] = (),
) -> Figure:
    """Make a figure from the values of several (alternated) runs and of their floors."""
    value = statistics.median(values)
    floor = statistics.median(floors) if floors else None
    quartiles = statistics.quantiles(values, n=4) if len(values) > 1 else [value] * 3
    return Figure(
        name=name,
        value=_rounded(value),
        unit=unit,
        target=target,
        better=better,
        floor=None if floor is None else _rounded(floor),
        ratio=None if not floor else _rounded(value / floor),
        spread=_rounded((quartiles[2] - quartiles[0]) / 2),
        runs=len(values),
    )


def merge(figures: Iterable[Figure], path: Path = LAST) -> None:
    """Write the figures into the committed file; those of other groups stay."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    merged = {entry["name"]: entry for entry in known}
    merged |= {figure.name: asdict(figure) for figure in figures}
    ordered = [merged[name] for name in sorted(merged)]
    path.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def show(figures: Iterable[Figure], console: Console | None = None) -> None:
    """Print the table."""
    table = Table("figure", "value", "spread", "unit", "target", "floor", "ratio", "")
    for figure in figures:
        sign = "≥" if figure.better == "higher" else "≤"
        cells = [figure.value, figure.spread, figure.unit, f"{sign} {figure.target:g}"]
        cells += [figure.floor, figure.ratio, "ok" if figure.reached else "MISSED"]
        table.add_row(figure.name, *("" if cell is None else str(cell) for cell in cells))
    (console or Console()).print(table)


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
