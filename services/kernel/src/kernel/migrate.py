"""Alembic under an advisory lock: the kernel's branch first, then the service's own."""

from pathlib import Path


async def upgrade(url: str, *, migrations: Path | None = None) -> None:
    """Bring both branches to their heads; several processes may call it at once."""
    raise NotImplementedError


async def downgrade(url: str, *, migrations: Path | None = None, revision: str = "base") -> None:
    """Take the service's branch, then the kernel's, down to ``revision``."""
    raise NotImplementedError


async def pending(url: str, *, migrations: Path | None = None) -> tuple[str, ...]:
    """Return the heads that are not applied yet, for readiness and ``check``."""
    raise NotImplementedError


def service_migrations(package: str) -> Path:
    """The migrations folder of a service: inside the wheel, else in the source tree."""
    raise NotImplementedError
