"""The benchmark report keeps other groups' figures and tells what was missed."""

import json

from tests.bench.report import Figure, median_figure, merge


def _figure(name, value):
    return Figure(name=name, value=value, unit="ms", target=10, better="lower")


def test_a_new_run_of_one_group_leaves_the_others_in_the_file(tmp_path):
    path = tmp_path / "last.json"
    merge([_figure("bus.a", 1), _figure("search.b", 2)], path)
    merge([_figure("bus.a", 3)], path)
    found = {entry["name"]: entry["value"] for entry in json.loads(path.read_text())}
    assert found == {"bus.a": 3, "search.b": 2}


def test_a_median_is_reported_with_its_spread_and_its_ratio_to_the_floor():
    figure = median_figure(
        "request.submit", [10, 11, 12, 13, 50], unit="1/s", target=1, better="higher", floors=[48]
    )
    assert (figure.value, figure.floor, figure.ratio, figure.runs) == (12, 48, 0.25, 5)
    assert figure.spread == 10.5


def test_a_figure_beyond_its_target_counts_as_missed():
    assert _figure("search.p95", 10).reached
    assert not _figure("search.p95", 10.1).reached
