"""Fixtures of every test: database, broker."""

pytest_plugins = ["tests.support.infra", "tests.support.http"]
