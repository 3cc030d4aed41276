"""Fixtures of every test: database, broker; the profile of property tests."""

pytest_plugins = ["tests.support.infra", "tests.support.http", "tests.support.properties"]
