"""Settings come from environment and files, one prefix a service."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from kernel.check import explain_invalid
from kernel.settings import ServiceSettings, load_settings

SECRET = "postgresql+asyncpg://u:very-secret@127.0.0.1/x"


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    path = tmp_path / "node.env"
    secret = tmp_path / "url"
    secret.write_text(SECRET + "\n")
    path.write_text(
        "YIWANG_NODE=441521\n"
        "YIWANG_REGISTRY_FILE=registry.json\n"
        "YIWANG_OBJECTS_DIR=objects\n"
        "YIWANG_ISSUER=http://shared\n"
        f"YIWANG_SHARING_DATABASE_URL_FILE={secret}\n"
        "YIWANG_SHARING_ISSUER=http://own\n"
        'YIWANG_SHARING_SIBLINGS={"notify": "http://127.0.0.1:1/"}\n'
        'YIWANG_SHARING_RULES_FILES=["a.yaml", "b.yaml"]\n'
    )
    return path


def test_a_service_takes_its_own_values_before_those_of_the_node(env_file: Path) -> None:
    settings = load_settings("sharing", env_file=env_file)
    assert settings.node == "441521"
    assert settings.service == "sharing"
    assert settings.issuer == "http://own"
    assert settings.siblings == {"notify": "http://127.0.0.1:1"}
    assert settings.rules_files == (Path("a.yaml"), Path("b.yaml"))
    assert settings.effective_audience == "yiwang:441521"


def test_a_secret_is_read_from_the_file_that_is_named(env_file: Path) -> None:
    settings = load_settings("sharing", env_file=env_file)
    assert settings.database_url.get_secret_value() == SECRET
    assert "very-secret" not in repr(settings)


def test_the_environment_wins_over_the_file(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YIWANG_SHARING_ISSUER", "http://environment")
    assert load_settings("sharing", env_file=env_file).issuer == "http://environment"


def test_settings_made_in_code_take_nothing_from_the_environment(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YIWANG_ISSUER", "http://ambient")
    made = ServiceSettings(**load_settings("sharing", env_file=env_file).model_dump())
    assert made.issuer != "http://ambient"


def test_another_service_of_the_node_misses_what_only_one_has(env_file: Path) -> None:
    with pytest.raises(ValidationError) as missing:
        load_settings("catalog", env_file=env_file)
    assert explain_invalid(missing.value, "catalog") == [
        "YIWANG_CATALOG_DATABASE_URL: Field required"
    ]


def test_a_wrong_value_is_explained_and_never_shown(env_file: Path) -> None:
    with pytest.raises(ValidationError) as wrong:
        load_settings("sharing", env_file=env_file, port="990000190001010016x")
    sentences = explain_invalid(wrong.value, "sharing")
    assert sentences[0].startswith("YIWANG_SHARING_PORT: ")
    assert "990000190001010016" not in str(sentences)


def test_tokens_are_remembered_for_at_most_a_minute(env_file: Path) -> None:
    with pytest.raises(ValidationError):
        load_settings("sharing", env_file=env_file, token_cache_seconds=61)
