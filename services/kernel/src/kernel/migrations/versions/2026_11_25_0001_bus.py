"""Outbox, streams, inbox, parked and dead events, receipts, organisations."""

from alembic import op

revision = "2026_11_25_0001"
down_revision = None
branch_labels = None
depends_on = None

EVENT = """
    transport text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    key text NOT NULL,
    event_id uuid NOT NULL,
    type text NOT NULL,
    subject text NOT NULL,
    time text NOT NULL,
    dataschema text NOT NULL,
    case_space text NOT NULL,
    case_version bigint NOT NULL,
    payload bytea NOT NULL,
    traceparent text,
    guard text
"""
NUMBER = """
    epoch uuid NOT NULL,
    sequence bigint NOT NULL,
    previous_epoch uuid,
    previous_last bigint
"""

SENDING = (
    f"""CREATE TABLE kernel.outbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        {EVENT},
        CONSTRAINT uq_outbox_case UNIQUE (transport, topic, key, case_space, case_version)
    ) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 2000,
            autovacuum_vacuum_insert_scale_factor = 0.05)""",
    """CREATE FUNCTION kernel.notify_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_notify('yiwang_outbox', '');
            RETURN NULL;
        END $$""",
    """CREATE TRIGGER outbox_notify AFTER INSERT ON kernel.outbox
        FOR EACH STATEMENT EXECUTE FUNCTION kernel.notify_outbox()""",
    # a notification takes a global lock at commit: a worker turns it on where settings ask for it
    "ALTER TABLE kernel.outbox DISABLE TRIGGER outbox_notify",
    "CREATE INDEX ix_outbox_transport ON kernel.outbox (transport, id)",
    # apart from the outbox: numbering then writes narrow rows instead of the wide ones again
    f"""CREATE TABLE kernel.outbox_numbers (
        id bigint PRIMARY KEY,
        {NUMBER}
    ) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 2000)""",
    f"""CREATE TABLE kernel.sent_log (
        id bigint NOT NULL,
        {EVENT},
        {NUMBER},
        entered_at text NOT NULL,
        published_at timestamptz NOT NULL,
        void text NOT NULL DEFAULT ''
    )""",
    """CREATE UNIQUE INDEX ux_sent_log_stream ON kernel.sent_log
        (topic, partition, epoch, sequence)""",
    "CREATE INDEX ix_sent_log_published_at ON kernel.sent_log USING brin (published_at)",
    """CREATE TABLE kernel.relay_streams (
        transport text NOT NULL,
        topic text NOT NULL,
        partition integer NOT NULL,
        epoch uuid,
        last bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (transport, topic, partition)
    ) WITH (fillfactor = 50)""",
    """CREATE TABLE kernel.receipts (
        event_id uuid NOT NULL,
        receiver_node text NOT NULL,
        receiver_service text NOT NULL,
        event_type text NOT NULL,
        topic text NOT NULL,
        key text NOT NULL,
        payload_sha256 text NOT NULL,
        entered_at text NOT NULL,
        received_at text NOT NULL,
        receipt_id uuid NOT NULL,
        returned_at timestamptz NOT NULL,
        PRIMARY KEY (event_id, receiver_node, receiver_service)
    )""",
    """CREATE TABLE kernel.to_sign (
        id uuid PRIMARY KEY,
        purpose text NOT NULL,
        document bytea NOT NULL,
        created_at timestamptz NOT NULL,
        key_id text,
        signature bytea,
        signed_at timestamptz
    )""",
    "CREATE INDEX ix_to_sign_waiting ON kernel.to_sign (created_at) WHERE signature IS NULL",
)

RECEIVING = (
    """CREATE TABLE kernel.consumer_streams (
        source text NOT NULL,
        topic text NOT NULL,
        partition integer NOT NULL,
        epoch uuid,
        watermark bigint NOT NULL DEFAULT 0,
        past text NOT NULL DEFAULT '[]',
        parked bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (source, topic, partition)
    ) WITH (fillfactor = 50)""",
    """CREATE TABLE kernel.consumer_positions (
        topic text NOT NULL,
        partition integer NOT NULL,
        next_offset bigint NOT NULL,
        PRIMARY KEY (topic, partition)
    ) WITH (fillfactor = 50)""",
    """CREATE TABLE kernel.inbox (
        event_id uuid NOT NULL,
        source text NOT NULL,
        received_at timestamptz NOT NULL,
        PRIMARY KEY (event_id, source)
    )""",
    "CREATE INDEX ix_inbox_received_at ON kernel.inbox USING brin (received_at)",
    # rows of 2 to 8 kB stay in line: a side table would double the writes of each event
    """CREATE TABLE kernel.evidence (
        event_id uuid NOT NULL,
        source text NOT NULL,
        signed bytea NOT NULL,
        signature text NOT NULL,
        payload bytea NOT NULL,
        entered_at text NOT NULL,
        received_at text NOT NULL
    ) WITH (toast_tuple_target = 8160)""",
    "CREATE INDEX ix_evidence_event_id ON kernel.evidence (event_id)",
    """CREATE TABLE kernel.parked_events (
        position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        why text NOT NULL,
        source text NOT NULL,
        topic text NOT NULL,
        partition integer NOT NULL,
        key text NOT NULL,
        epoch uuid,
        sequence bigint NOT NULL,
        event_id uuid NOT NULL,
        signed bytea NOT NULL,
        signature text NOT NULL,
        payload bytea NOT NULL,
        traceparent text,
        entered_at text NOT NULL,
        received_at text NOT NULL
    )""",
    """CREATE UNIQUE INDEX ux_parked_events_number ON kernel.parked_events
        (source, topic, partition, epoch, sequence) WHERE why = 'gap'""",
    """CREATE UNIQUE INDEX ux_parked_events_identity ON kernel.parked_events
        (source, event_id, why) WHERE why <> 'gap'""",
    """CREATE INDEX ix_parked_events_key ON kernel.parked_events
        (source, topic, key, position) WHERE why = 'key'""",
    """CREATE TABLE kernel.held_keys (
        source text NOT NULL,
        topic text NOT NULL,
        key text NOT NULL,
        partition integer NOT NULL,
        hold text NOT NULL,
        reason text NOT NULL,
        attempts integer NOT NULL,
        since timestamptz NOT NULL,
        retry_at timestamptz,
        PRIMARY KEY (source, topic, key)
    )""",
    "CREATE INDEX ix_held_keys_retry_at ON kernel.held_keys (retry_at)",
    """CREATE TABLE kernel.dead_letters (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        state text NOT NULL,
        source text NOT NULL,
        topic text NOT NULL,
        partition integer NOT NULL,
        key text NOT NULL,
        epoch uuid,
        sequence bigint,
        event_id uuid,
        type text NOT NULL,
        reason text NOT NULL,
        sqlstate text NOT NULL DEFAULT '',
        attempts integer NOT NULL DEFAULT 1,
        payload_sha256 text NOT NULL DEFAULT '',
        size bigint NOT NULL DEFAULT 0,
        record_offset bigint,
        first_at timestamptz NOT NULL,
        last_at timestamptz NOT NULL,
        closed_at timestamptz,
        closed_by text NOT NULL DEFAULT '',
        note text NOT NULL DEFAULT ''
    )""",
    """CREATE UNIQUE INDEX ux_dead_letters_open ON kernel.dead_letters (source, event_id)
        WHERE state = 'open'""",
    "CREATE INDEX ix_dead_letters_state ON kernel.dead_letters (state, id)",
    """CREATE TABLE kernel.refused_records (
        topic text NOT NULL,
        reason text NOT NULL,
        day date NOT NULL,
        records bigint NOT NULL,
        PRIMARY KEY (topic, reason, day)
    )""",
    """CREATE TABLE kernel.organisations (
        org_id text PRIMARY KEY,
        node text NOT NULL,
        name text NOT NULL,
        region_code text NOT NULL,
        state text NOT NULL,
        record_version bigint NOT NULL
    )""",
)

TABLES = (
    "outbox outbox_numbers sent_log relay_streams receipts to_sign consumer_streams consumer_positions inbox"
    " evidence parked_events held_keys dead_letters refused_records organisations"
)


def upgrade() -> None:
    op.execute("CREATE SCHEMA IF NOT EXISTS kernel")
    for statement in (*SENDING, *RECEIVING):
        op.execute(statement)


def downgrade() -> None:
    for table in TABLES.split():
        op.execute(f"DROP TABLE kernel.{table}")
    op.execute("DROP FUNCTION kernel.notify_outbox()")
