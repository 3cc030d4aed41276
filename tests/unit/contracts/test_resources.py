"""The contracts' data travels with the distribution and is found in a wheel's layout."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from contracts.resources import data_path, packaged_yaml

MEMBER = data_path("rules").parent
# copies that only the compatibility gate of this repository reads
REPOSITORY_ONLY = {"released"}

LOAD_EVERYTHING = """
from contracts.authority import load_matrix, load_relations
from contracts.calendar import packaged_calendar
from contracts.crosswalk import load_crosswalk
from contracts.legal import load_register
from contracts.regions import load_regions
from contracts.resources import data_path
from contracts.roles import load_roles
from contracts.rules import packaged_rules
from contracts.topics import load_topics
from contracts.vocabulary import load_vocabulary
for load in (load_matrix, load_relations, packaged_calendar, load_crosswalk, load_register,
             load_regions, load_roles, packaged_rules, load_topics, load_vocabulary):
    assert load()
assert any(data_path("schemas").glob("*.schema.json"))
assert any(data_path("examples").glob("*/*.json"))
print(data_path("rules"))
"""


def _data_directories() -> set[str]:
    return {
        path.name
        for path in MEMBER.iterdir()
        if path.is_dir() and path.name != "src" and any(path.rglob("*.[jy]*"))
    }


def test_every_data_directory_is_packed_into_the_wheel():
    project = tomllib.loads((MEMBER / "pyproject.toml").read_text(encoding="utf-8"))
    packed = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert set(packed) == _data_directories() - REPOSITORY_ONLY
    assert packed == {name: f"contracts/_data/{name}" for name in packed}


def test_a_department_that_installs_the_wheel_alone_finds_all_of_it(tmp_path):
    site = tmp_path / "site"
    shutil.copytree(MEMBER / "src" / "contracts", site / "contracts")
    for name in _data_directories() - REPOSITORY_ONLY:
        shutil.copytree(MEMBER / name, site / "contracts" / "_data" / name)
    program = f"import sys\nsys.path.insert(0, {str(site)!r})\n{LOAD_EVERYTHING}"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert result.returncode == 0, result.stderr
    assert Path(result.stdout.strip()) == site / "contracts" / "_data" / "rules"


def test_data_that_is_not_there_is_named():
    with pytest.raises(FileNotFoundError, match="recipes"):
        data_path("recipes")


def test_a_packaged_file_is_read_once():
    assert packaged_yaml("authority/matrix.yaml") is packaged_yaml("authority/matrix.yaml")
