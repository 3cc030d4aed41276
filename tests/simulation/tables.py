"""The tables of one service in a world: those of the kernel's and of sharing's migrations."""

from tests.simulation.db import Row, Table

Unique = tuple[str, str, str, str, int]


def _case(row: Row) -> Unique:
    return (row["transport"], row["topic"], row["key"], row["case_space"], row["case_version"])


def _open_submission(row: Row) -> str | None:
    return row["open_submission"]  # type: ignore[no-any-return]


def tables() -> tuple[Table, ...]:
    """Return fresh, empty tables; keys are what each comment says."""
    return (
        Table("outbox", uniques=(_case,)),  # id
        Table("outbox_numbers"),  # id
        Table("sent_log"),  # topic, partition, epoch, sequence
        Table("relay_streams"),  # transport, topic, partition
        Table("receipts"),  # event_id, receiver_node, receiver_service
        Table("consumer_streams"),  # source, topic, partition
        Table("consumer_positions"),  # topic, partition
        Table("inbox"),  # source, event_id
        Table("evidence"),  # source, event_id
        Table("parked", uniques=(lambda row: row["mark"],)),  # position
        Table("held_keys"),  # source, topic, key
        Table("dead_letters"),  # source, event_id
        Table("refused"),  # number
        Table("audit"),  # id
        Table("audit_pending"),  # id
        Table("audit_batches"),  # number
        Table("requests", uniques=(_open_submission,)),  # request_id, side
        Table("grants"),  # grant_id, side
        Table("filings"),  # filing_id
        Table("known_entries"),  # entry_id, version
        Table("agencies"),  # org_id
        Table("cases"),  # case_id: the plain cases of the kernel's own workload
    )
