"""A service's configuration: environment, files and nothing else; one prefix a service."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

Algorithm = Literal["RS256", "ES256", "EdDSA"]


class ServiceSettings(BaseSettings):
    """What one service of one node needs to know before it starts.

    Read with ``load_settings("catalog")``: ``YIWANG_CATALOG_<FIELD>`` first, then
    ``YIWANG_<FIELD>`` for what all services of a node share. A secret may be given as
    ``<FIELD>_FILE`` naming a file that holds it (``YIWANG_CATALOG_DATABASE_URL_FILE``).
    Sizes are bytes, times are seconds.
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, env_prefix="YIWANG_"
    )

    node: str
    service: str
    database_url: SecretStr
    pool_size: int = Field(default=8, ge=1, le=100)
    hot_pool_size: int = Field(default=8, ge=1, le=100)

    bootstrap: str = ""
    registry_file: Path
    node_key_file: Path | None = None
    rules_files: tuple[Path, ...] = ()
    calendar_file: Path | None = None
    objects_dir: Path

    issuer: str = ""
    audience: str = ""
    jwks_url: str = ""
    jwks_file: Path | None = None
    token_algorithms: tuple[Algorithm, ...] = ("RS256", "ES256", "EdDSA")
    token_cache_seconds: int = Field(default=60, ge=0, le=60)
    service_token_file: Path | None = None
    siblings: dict[str, str] = Field(default_factory=dict)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    public_url: str = ""
    body_limit: int = Field(default=1 << 20, ge=1024)
    upload_limit: int = Field(default=256 << 20, ge=1024)
    attachment_limit: int = Field(default=20 << 20, ge=1024)

    otlp_endpoint: str = ""
    trace_ratio: float = Field(default=1.0, ge=0.0, le=1.0)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    embedded_issuer: bool = False

    relay_wakeup: Literal["notify", "poll"] = "poll"
    relay_poll_seconds: float = Field(default=0.05, gt=0)
    fetch_max_wait_ms: int = Field(default=100, ge=1)
    idempotent_producer: bool = False
    consumer_groups: bool = True
    seal_seconds: float = Field(default=2.0, gt=0)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Settings made in code take nothing from the surroundings; ``load_settings`` does."""
        return (init_settings,)

    @field_validator("siblings")
    @classmethod
    def _loopback_or_tls(cls, value: dict[str, str]) -> dict[str, str]:
        return {name: url.rstrip("/") for name, url in value.items()}

    @property
    def effective_audience(self) -> str:
        """The one audience this node accepts."""
        return self.audience or f"yiwang:{self.node}"

    def service_token(self) -> str:
        """The token that siblings present at the internal door; empty when none is set."""
        if self.service_token_file is None:
            return ""
        return self.service_token_file.read_text(encoding="ascii").strip()


class _SecretFiles(PydanticBaseSettingsSource):
    """Reads ``<FIELD>_FILE`` for every secret field."""

    def __init__(self, settings_cls: type[BaseSettings], values: Mapping[str, str | None]) -> None:
        super().__init__(settings_cls)
        self._values = values

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        path = self._values.get(f"{field_name}_file") if field.annotation is SecretStr else None
        text = Path(path).read_text(encoding="utf-8").strip() if path else None
        return text, field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value is not None}


def load_settings(
    service: str, *, env_file: Path | None = None, **overrides: Any
) -> ServiceSettings:
    """Read one service's settings; raise ``pydantic.ValidationError`` without any value in it."""

    class _Loaded(ServiceSettings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            sources: list[PydanticBaseSettingsSource] = [init_settings]
            for prefix in (f"YIWANG_{service.upper()}_", "YIWANG_"):
                env = EnvSettingsSource(settings_cls, env_prefix=prefix)
                dotenv = DotEnvSettingsSource(settings_cls, env_file=env_file, env_prefix=prefix)
                for source in (env, dotenv):
                    named = {
                        key.lower().removeprefix(prefix.lower()): value
                        for key, value in source.env_vars.items()
                        if key.lower().startswith(prefix.lower())
                    }
                    sources += [source, _SecretFiles(settings_cls, named)]
            return tuple(sources)

    return ServiceSettings(**_Loaded(service=service, **overrides).model_dump())
