"""``python -m federation`` is the ``yiwang`` command."""

from federation.cli import app

if __name__ == "__main__":
    app()
