"""SQL of the consumer's tables; every statement takes a whole batch."""

LOCK_STREAMS = """
    SELECT source, topic, partition, epoch, watermark, past, parked FROM kernel.consumer_streams
    WHERE (source, topic, partition)
        IN (SELECT * FROM unnest($1::text[], $2::text[], $3::integer[]))
    ORDER BY source, topic, partition FOR UPDATE
"""
STREAMS = """
    SELECT source, topic, partition, epoch, watermark, past, parked FROM kernel.consumer_streams
"""
STREAM = f"{STREAMS} WHERE source = $1 AND topic = $2 AND partition = $3"
MAKE_STREAMS = """
    INSERT INTO kernel.consumer_streams (source, topic, partition)
    SELECT * FROM unnest($1::text[], $2::text[], $3::integer[]) AS s(source, topic, partition)
    ORDER BY source, topic, partition ON CONFLICT DO NOTHING
"""
SAVE_STREAMS = """
    UPDATE kernel.consumer_streams AS s
    SET epoch = n.epoch, watermark = n.watermark, past = n.past, parked = n.parked
    FROM unnest($1::text[], $2::text[], $3::integer[], $4::uuid[], $5::bigint[], $6::text[],
        $7::bigint[]) AS n(source, topic, partition, epoch, watermark, past, parked)
    WHERE s.source = n.source AND s.topic = n.topic AND s.partition = n.partition
"""
SAVE_POSITIONS = """
    INSERT INTO kernel.consumer_positions (topic, partition, next_offset)
    SELECT * FROM unnest($1::text[], $2::integer[], $3::bigint[])
    ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset
"""
INSERT_INBOX = """
    INSERT INTO kernel.inbox (event_id, source, received_at)
    SELECT n.event_id, n.source, $3 FROM unnest($1::uuid[], $2::text[]) AS n(event_id, source)
    ON CONFLICT DO NOTHING RETURNING source, event_id::text
"""
KEEP_EVIDENCE = """
    INSERT INTO kernel.evidence
        (event_id, source, signed, signature, payload, entered_at, received_at)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::text[], $5::bytea[], $6::text[],
        $7::text[])
"""
ORGANISATIONS = "SELECT org_id, node FROM kernel.organisations WHERE org_id = ANY($1)"
OVER_LIMIT = """
    SELECT source FROM kernel.dead_letters WHERE state = 'open' AND source = ANY($1)
    GROUP BY source HAVING count(*) >= $2
"""
HELD_KEYS = """
    SELECT source, topic, key FROM kernel.held_keys
    WHERE (source, topic, key) IN (SELECT * FROM unnest($1::text[], $2::text[], $3::text[]))
"""
HOLD_KEY = """
    INSERT INTO kernel.held_keys
        (source, topic, key, partition, hold, reason, attempts, since, retry_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (source, topic, key) DO UPDATE SET hold = excluded.hold,
        reason = excluded.reason, attempts = excluded.attempts, retry_at = excluded.retry_at
"""
_HELD = "SELECT source, topic, key, partition, hold, attempts FROM kernel.held_keys"
HELD = f"{_HELD} WHERE source = $1 AND topic = $2 AND key = $3"
LOCK_HELD = f"{HELD} FOR UPDATE"
DUE_KEYS = f"{_HELD} WHERE retry_at <= $1 ORDER BY retry_at LIMIT $2"
RELEASE_KEY = "DELETE FROM kernel.held_keys WHERE source = $1 AND topic = $2 AND key = $3"
PARK = """
    INSERT INTO kernel.parked_events (why, source, topic, partition, key, epoch, sequence,
        event_id, signed, signature, payload, traceparent, entered_at, received_at)
    SELECT $1, n.* FROM unnest($2::text[], $3::text[], $4::integer[], $5::text[], $6::uuid[],
        $7::bigint[], $8::uuid[], $9::bytea[], $10::text[], $11::bytea[], $12::text[], $13::text[],
        $14::text[]) AS n
    WHERE $1 <> 'trust'
        OR (SELECT count(*) FROM kernel.parked_events WHERE why = 'trust') < $15
    ON CONFLICT DO NOTHING
    RETURNING source, topic, partition, epoch::text, sequence, event_id::text
"""
_PARKED = """
    SELECT signed, signature, payload, traceparent, entered_at, received_at
    FROM kernel.parked_events
"""
PARKED_IN_STREAM = f"""{_PARKED}
    WHERE why = 'gap' AND source = $1 AND topic = $2 AND partition = $3
    ORDER BY epoch, sequence LIMIT $4
"""
PARKED_BEHIND = f"""{_PARKED}
    WHERE why = 'key' AND source = $1 AND topic = $2 AND key = $3 ORDER BY position LIMIT $4
"""
PARKED_FOR_TRUST = f"{_PARKED} WHERE why = 'trust' ORDER BY position LIMIT $1"
UNPARK_NUMBERS = """
    DELETE FROM kernel.parked_events WHERE why = 'gap' AND (source, topic, partition, epoch,
        sequence) IN (SELECT * FROM unnest($1::text[], $2::text[], $3::integer[], $4::uuid[],
        $5::bigint[]))
"""
UNPARK_EVENTS = """
    DELETE FROM kernel.parked_events WHERE why = $1
        AND (source, event_id) IN (SELECT * FROM unnest($2::text[], $3::uuid[]))
"""
GAPS = """
    SELECT s.source, s.topic, s.partition, s.epoch, s.watermark, s.past, s.parked, p.signed
    FROM kernel.consumer_streams AS s CROSS JOIN LATERAL (
        SELECT signed FROM kernel.parked_events AS p
        WHERE p.why = 'gap' AND p.source = s.source AND p.topic = s.topic
            AND p.partition = s.partition
        ORDER BY p.epoch, p.sequence LIMIT 1
    ) AS p
    WHERE s.parked > 0 ORDER BY s.source, s.topic, s.partition LIMIT $1
"""
ADD_DEAD_LETTERS = """
    INSERT INTO kernel.dead_letters (state, source, topic, partition, key, epoch, sequence,
        event_id, type, reason, sqlstate, payload_sha256, size, first_at, last_at)
    SELECT 'open', n.*, $13, $13 FROM unnest($1::text[], $2::text[], $3::integer[], $4::text[],
        $5::uuid[], $6::bigint[], $7::uuid[], $8::text[], $9::text[], $10::text[], $11::text[],
        $12::bigint[]) AS n
    ON CONFLICT (source, event_id) WHERE state = 'open' DO UPDATE SET reason = excluded.reason,
        sqlstate = excluded.sqlstate, attempts = dead_letters.attempts + 1,
        last_at = excluded.last_at
    RETURNING id, source, event_id::text, attempts
"""
CLOSE_DEAD_LETTER = """
    UPDATE kernel.dead_letters SET state = $3, closed_at = $4, closed_by = $5
    WHERE state = 'open' AND source = $1 AND event_id = $2
"""
COUNT_REFUSALS = """
    INSERT INTO kernel.refused_records (topic, reason, day, records)
    SELECT n.topic, n.reason, $4, n.records
    FROM unnest($1::text[], $2::text[], $3::bigint[]) AS n(topic, reason, records)
    ORDER BY topic, reason
    ON CONFLICT (topic, reason, day)
        DO UPDATE SET records = refused_records.records + excluded.records
"""
SAMPLE_REFUSALS = """
    INSERT INTO kernel.dead_letters (state, key, source, topic, partition, type, reason,
        payload_sha256, size, record_offset, first_at, last_at)
    SELECT 'refused', '', n.*, $9, $9 FROM unnest($1::text[], $2::text[], $3::integer[],
        $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[])
        AS n(source, topic, partition, type, reason, payload_sha256, size, record_offset)
    WHERE (SELECT count(*) FROM kernel.dead_letters AS d
        WHERE d.state = 'refused' AND d.topic = n.topic AND d.reason = n.reason) < $10
"""
INSERT_OUTBOX = """
    INSERT INTO kernel.outbox (transport, topic, partition, key, event_id, type, subject, time,
        dataschema, case_space, case_version, payload, traceparent, guard)
    SELECT * FROM unnest($1::text[], $2::text[], $3::integer[], $4::text[], $5::uuid[],
        $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bigint[], $12::bytea[],
        $13::text[], $14::text[])
    ON CONFLICT DO NOTHING
"""
