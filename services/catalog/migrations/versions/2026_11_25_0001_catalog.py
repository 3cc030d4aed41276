"""Agencies, entries, editions, filings, imports, and the searchable replica."""

from alembic import op

revision = "2026_11_25_0001"
down_revision = None
branch_labels = None
depends_on = None

# The tokens of a search live in the index alone (catalog.search.domain says what they are): pairs of
# characters, triples of Latin letters and digits, the same of the title behind \\x02, facet numbers
# behind \\x01. Only pg_catalog is used, so the function means the same under any search_path.
TOKENS = r"""
CREATE FUNCTION catalog_search_tokens(title text, body text, facets bigint[])
RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_to_tsvector(array(
        SELECT pair FROM (
            SELECT substr(body, i, 2) AS pair FROM generate_series(1, length(body) - 1) AS i
        ) AS pairs WHERE NOT starts_with(pair, E'\n')
        UNION SELECT triple FROM (
            SELECT substr(body, i, 3) AS triple FROM generate_series(1, length(body) - 2) AS i
            WHERE body ~ '[0-9a-z]{3}'
        ) AS triples WHERE triple ~ '^[0-9a-z]{3}$'
        UNION SELECT E'\x02' || substr(title || E'\n', i, 2)
            FROM generate_series(1, length(title)) AS i
        UNION SELECT E'\x02' || triple FROM (
            SELECT substr(title, i, 3) AS triple FROM generate_series(1, length(title) - 2) AS i
            WHERE title ~ '[0-9a-z]{3}'
        ) AS triples WHERE triple ~ '^[0-9a-z]{3}$'
        UNION ALL SELECT E'\x01' || facet FROM unnest(facets) AS facet
        UNION ALL SELECT E'\x01*'
    ))
$$
"""
TOKENS_OF_ROW = (
    "catalog_search_tokens(title, body, ARRAY[f_node, f_department, f_region, f_theme,"
    " f_share_type, f_open_attr, f_update_frequency, f_data_form])"
)
LEVELS = 5

TABLES = (
    """
    CREATE TABLE agencies (
        org_id TEXT NOT NULL,
        region_code TEXT NOT NULL,
        name TEXT NOT NULL,
        name_key TEXT NOT NULL,
        short_name TEXT NOT NULL,
        uscc TEXT,
        kind TEXT NOT NULL,
        level TEXT NOT NULL,
        parent TEXT,
        participation_basis TEXT NOT NULL,
        state TEXT NOT NULL,
        serial INTEGER NOT NULL,
        last_code INTEGER NOT NULL,
        record_version BIGINT NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_agencies PRIMARY KEY (org_id),
        CONSTRAINT ck_agencies_serials CHECK (serial > 0 AND last_code >= 0)
    )
    """,
    "CREATE INDEX ix_agencies_kind ON agencies (kind, org_id)",
    "CREATE UNIQUE INDEX uq_agencies_name_key ON agencies (name_key) WHERE state = 'active'",
    "CREATE UNIQUE INDEX uq_agencies_region_code_serial ON agencies (region_code, serial)",
    "CREATE UNIQUE INDEX uq_agencies_uscc ON agencies (uscc) WHERE uscc IS NOT NULL",
    """
    CREATE TABLE appointments (
        appointment_id UUID NOT NULL,
        org_id TEXT NOT NULL,
        role TEXT NOT NULL,
        subject TEXT NOT NULL,
        name TEXT NOT NULL,
        document TEXT NOT NULL,
        since TEXT NOT NULL,
        until TEXT,
        appointed_by TEXT NOT NULL,
        appointed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_appointments PRIMARY KEY (appointment_id)
    )
    """,
    "CREATE INDEX ix_appointments_org_id ON appointments (org_id, role)",
    """
    CREATE TABLE dependents (
        dependent_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        entry_id UUID NOT NULL,
        entry_version INTEGER NOT NULL,
        holder JSONB NOT NULL,
        until TEXT,
        plan JSONB,
        added_at TIMESTAMP WITH TIME ZONE NOT NULL,
        ended_at TEXT,
        end_reason TEXT NOT NULL,
        CONSTRAINT pk_dependents PRIMARY KEY (dependent_id)
    )
    """,
    "CREATE INDEX ix_dependents_entry_id ON dependents (entry_id)",
    """
    CREATE TABLE editions (
        node TEXT NOT NULL,
        edition BIGINT NOT NULL,
        region_code TEXT NOT NULL,
        entries INTEGER NOT NULL,
        digest TEXT NOT NULL,
        added JSONB NOT NULL,
        changed JSONB NOT NULL,
        removed JSONB NOT NULL,
        published_at TEXT NOT NULL,
        published_by TEXT NOT NULL,
        stored_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_editions PRIMARY KEY (node, edition)
    )
    """,
    """
    CREATE TABLE entries (
        entry_id UUID NOT NULL,
        providing_org TEXT NOT NULL,
        region_code TEXT NOT NULL,
        resource_code TEXT,
        standing TEXT NOT NULL,
        copy TEXT NOT NULL,
        takedown BOOLEAN NOT NULL,
        state TEXT NOT NULL,
        version INTEGER NOT NULL,
        record_version BIGINT NOT NULL,
        emitted BIGINT NOT NULL,
        round INTEGER NOT NULL,
        title TEXT NOT NULL,
        title_key TEXT NOT NULL,
        content JSONB NOT NULL,
        complete BOOLEAN NOT NULL,
        source_pending BOOLEAN NOT NULL,
        provenance JSONB,
        import_id UUID,
        rule_version TEXT NOT NULL,
        trigger JSONB,
        clocks JSONB NOT NULL,
        confidentiality JSONB,
        takedown_request JSONB,
        suspension JSONB,
        opinion TEXT NOT NULL,
        created_by TEXT NOT NULL,
        submitted_by TEXT,
        submitted_at TIMESTAMP WITH TIME ZONE,
        accepted_by TEXT,
        accepted_at TIMESTAMP WITH TIME ZONE,
        decided_by TEXT,
        decided_at TIMESTAMP WITH TIME ZONE,
        published_at TIMESTAMP WITH TIME ZONE,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_entries PRIMARY KEY (entry_id),
        CONSTRAINT ck_entries_code CHECK ((version > 0) = (resource_code IS NOT NULL))
    )
    """,
    (
        "CREATE INDEX ix_entries_copy ON entries (copy, entry_id)"
        " WHERE copy <> 'none' AND copy <> 'discarded'"
    ),
    "CREATE INDEX ix_entries_import_id ON entries (import_id, entry_id) WHERE import_id IS NOT NULL",
    "CREATE INDEX ix_entries_providing_org ON entries (providing_org, state, entry_id)",
    "CREATE INDEX ix_entries_state ON entries (state, entry_id)",
    "CREATE INDEX ix_entries_title_key ON entries (title_key)",
    "CREATE UNIQUE INDEX uq_entries_resource_code ON entries (resource_code) WHERE resource_code IS NOT NULL",
    """
    CREATE TABLE entry_filings (
        filing_id UUID NOT NULL,
        entry_id UUID NOT NULL,
        providing_org TEXT NOT NULL,
        version INTEGER NOT NULL,
        rule TEXT NOT NULL,
        article TEXT NOT NULL,
        receiver_node TEXT NOT NULL,
        state TEXT NOT NULL,
        filing_no TEXT,
        parts JSONB NOT NULL,
        submitted JSONB NOT NULL,
        emitted BIGINT NOT NULL,
        reason TEXT NOT NULL,
        submitted_by TEXT NOT NULL,
        submitted_at TIMESTAMP WITH TIME ZONE NOT NULL,
        received_at TEXT,
        recorded_at TEXT,
        returned_at TEXT,
        CONSTRAINT pk_entry_filings PRIMARY KEY (filing_id)
    )
    """,
    "CREATE INDEX ix_entry_filings_entry_id ON entry_filings (entry_id)",
    "CREATE INDEX ix_entry_filings_providing_org ON entry_filings (providing_org, filing_id)",
    """
    CREATE TABLE entry_versions (
        entry_id UUID NOT NULL,
        version INTEGER NOT NULL,
        content JSONB NOT NULL,
        diff JSONB NOT NULL,
        edition BIGINT NOT NULL,
        rule_version TEXT NOT NULL,
        confidentiality JSONB,
        submitted_by TEXT NOT NULL,
        approved_by TEXT NOT NULL,
        published_by TEXT NOT NULL,
        published_at TIMESTAMP WITH TIME ZONE NOT NULL,
        superseded_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_entry_versions PRIMARY KEY (entry_id, version)
    )
    """,
    """
    CREATE TABLE import_refusals (
        import_id UUID NOT NULL,
        row INTEGER NOT NULL,
        reason TEXT NOT NULL,
        field TEXT NOT NULL,
        CONSTRAINT pk_import_refusals PRIMARY KEY (import_id, row)
    )
    """,
    """
    CREATE TABLE imports (
        import_id UUID NOT NULL,
        file_digest TEXT NOT NULL,
        file_name TEXT NOT NULL,
        form TEXT NOT NULL,
        encoding TEXT NOT NULL,
        default_org TEXT,
        imported_by TEXT NOT NULL,
        organisation TEXT NOT NULL,
        rows INTEGER NOT NULL,
        drafts INTEGER NOT NULL,
        report JSONB NOT NULL,
        imported_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_imports PRIMARY KEY (import_id)
    )
    """,
    "CREATE INDEX ix_imports_file_digest ON imports (file_digest)",
    "CREATE INDEX ix_imports_organisation ON imports (organisation, import_id)",
    """
    CREATE TABLE known_agencies (
        org_id TEXT NOT NULL,
        node TEXT NOT NULL,
        region_code TEXT NOT NULL,
        name TEXT NOT NULL,
        short_name TEXT NOT NULL,
        uscc TEXT,
        kind TEXT NOT NULL,
        level TEXT NOT NULL,
        state TEXT NOT NULL,
        record_version BIGINT NOT NULL,
        CONSTRAINT pk_known_agencies PRIMARY KEY (org_id)
    )
    """,
    "CREATE INDEX ix_known_agencies_node ON known_agencies (node, kind)",
    """
    CREATE TABLE profiles (
        profile_id UUID NOT NULL,
        name TEXT NOT NULL,
        organisation TEXT NOT NULL,
        rules JSONB NOT NULL,
        confirmed BOOLEAN NOT NULL,
        created_by TEXT NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        confirmed_by TEXT,
        confirmed_at TIMESTAMP WITH TIME ZONE,
        note TEXT NOT NULL,
        CONSTRAINT pk_profiles PRIMARY KEY (profile_id)
    )
    """,
    """
    CREATE TABLE published (
        entry_id UUID NOT NULL,
        resource_code TEXT NOT NULL,
        node TEXT NOT NULL,
        providing_org TEXT NOT NULL,
        state TEXT NOT NULL,
        version INTEGER NOT NULL,
        record_version BIGINT NOT NULL,
        changed_at BIGINT NOT NULL,
        document JSONB NOT NULL,
        card TEXT NOT NULL,
        stored_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_published PRIMARY KEY (entry_id)
    )
    """,
    "CREATE INDEX ix_published_node ON published (node)",
    "CREATE INDEX ix_published_resource_code ON published (resource_code)",
    """
    CREATE TABLE search_entries (
        entry_id UUID NOT NULL,
        level SMALLINT NOT NULL,
        changed_at BIGINT NOT NULL,
        f_node BIGINT NOT NULL,
        f_department BIGINT NOT NULL,
        f_region BIGINT NOT NULL,
        f_theme BIGINT NOT NULL,
        f_share_type BIGINT NOT NULL,
        f_open_attr BIGINT NOT NULL,
        f_update_frequency BIGINT NOT NULL,
        f_data_form BIGINT NOT NULL,
        title TEXT COLLATE "C" NOT NULL,
        body TEXT COLLATE "C" NOT NULL,
        CONSTRAINT pk_search_entries PRIMARY KEY (entry_id)
    )
    """,
    "CREATE INDEX ix_search_entries_department ON search_entries (f_department, changed_at DESC, entry_id)",
    "CREATE INDEX ix_search_entries_newest ON search_entries (changed_at DESC, entry_id)",
    "CREATE INDEX ix_search_entries_node ON search_entries (f_node, changed_at DESC, entry_id)",
    "CREATE INDEX ix_search_entries_title ON search_entries USING hash (title)",
    """
    CREATE TABLE search_facets (
        id BIGINT NOT NULL,
        dimension TEXT NOT NULL,
        code TEXT NOT NULL,
        label TEXT NOT NULL,
        CONSTRAINT pk_search_facets PRIMARY KEY (id)
    )
    """,
    """
    CREATE TABLE source_claims (
        fact TEXT NOT NULL,
        org_id TEXT NOT NULL,
        entry_id UUID NOT NULL,
        item TEXT NOT NULL,
        function_basis TEXT NOT NULL,
        state TEXT NOT NULL,
        decision TEXT NOT NULL,
        decided_by TEXT,
        claimed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        decided_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_source_claims PRIMARY KEY (fact, org_id)
    )
    """,
    "CREATE INDEX ix_source_claims_entry_id ON source_claims (entry_id)",
    "CREATE INDEX ix_source_claims_state ON source_claims (state, fact)",
)


def upgrade() -> None:
    op.execute(TOKENS)
    for statement in TABLES:
        op.execute(statement)
    for level in range(LEVELS):
        op.execute(
            f"CREATE INDEX ix_search_entries_tokens_{level} ON search_entries"
            f" USING gin ({TOKENS_OF_ROW}) WITH (fastupdate = off) WHERE level = {level}"
        )


def downgrade() -> None:
    for table in (
        "source_claims",
        "search_facets",
        "search_entries",
        "published",
        "profiles",
        "known_agencies",
        "imports",
        "import_refusals",
        "entry_versions",
        "entry_filings",
        "entries",
        "editions",
        "dependents",
        "appointments",
        "agencies",
    ):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION catalog_search_tokens(text, text, bigint[])")
