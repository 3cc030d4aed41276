"""The committed contract of the delivery API is the one that the application serves."""

from pathlib import Path

import yaml

from sharing.delivery.contract import document, text

COMMITTED = Path(__file__).parents[3] / "contracts" / "openapi" / "delivery.yaml"


def test_the_committed_contract_is_in_step():
    assert COMMITTED.read_text(encoding="utf-8") == text(), (
        "write it again: python -m sharing.delivery.contract contracts/openapi/delivery.yaml"
    )


def test_the_contract_is_read_back_as_written():
    assert yaml.safe_load(text()) == document()


def test_every_operation_needs_the_token_of_a_grant():
    operations = [each for path in document()["paths"].values() for each in path.values()]
    assert len(operations) == 2
    assert all(operation["security"] == [{"grantToken": []}] for operation in operations)
