-- The tables of FlowCRM, DESIGN section 6.
--
-- Reading aid: workspace_id first in every key; h_* = keyed look-up hash (16 bytes, generation `gen`); s_* = sealed by the
-- vault, bound to the row's own id. Ids come from one sequence, taken before the insert.
-- Three kinds of tables: *instance* (no policy), *routing* (app policy + an open one for the router, no content),
-- and all others (app policy only). tests/store/test_isolation.py holds the lists against the catalogue.

-- No CACHE: under the workspace's commit lock ids must ascend in commit order ("the first stored" is the smallest id).
CREATE SEQUENCE flow_id AS bigint START 1000;
GRANT USAGE, SELECT ON SEQUENCE flow_id TO flowcrm_app, flowcrm_router;

-- Instance tables ----------------------------------------------------------------------------------------------------

CREATE TABLE account_name (
    slug            text PRIMARY KEY CHECK (slug ~ '^[a-z0-9](-?[a-z0-9])*$' AND length(slug) <= 40),
    workspace_id    bigint NOT NULL,
    current         boolean NOT NULL DEFAULT true
);

CREATE TABLE instance_setting (
    key             text PRIMARY KEY,
    seal_id         bigint NOT NULL,
    s_value         bytea NOT NULL,
    updated_at      timestamptz NOT NULL
);

-- Routing tables -----------------------------------------------------------------------------------------------------

CREATE TABLE workspace (
    id              bigint PRIMARY KEY,
    title           text NOT NULL,
    plan            text NOT NULL,
    time_zone       text NOT NULL,
    generation      smallint NOT NULL DEFAULT 1,
    default_level   text NOT NULL DEFAULT 'people_and_times',
    created_at      timestamptz NOT NULL
);

CREATE TABLE member (
    workspace_id    bigint NOT NULL REFERENCES workspace (id),
    id              bigint NOT NULL,
    person_id       bigint NOT NULL,
    role            text NOT NULL CHECK (role IN ('admin', 'user')),
    name            text NOT NULL,
    time_zone       text NOT NULL,
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, person_id)
);
CREATE INDEX member_person ON member (person_id);

CREATE TABLE mailbox_due (
    workspace_id    bigint NOT NULL,
    mailbox_id      bigint NOT NULL,
    next_run_at     timestamptz NOT NULL,
    lane            smallint NOT NULL,
    PRIMARY KEY (workspace_id, mailbox_id)
);
CREATE INDEX mailbox_due_next ON mailbox_due (lane, next_run_at);

CREATE TABLE lease (
    workspace_id    bigint NOT NULL,
    mailbox_id      bigint NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('sync', 'act', 'watch')),
    owner           text NOT NULL,
    epoch           bigint NOT NULL,
    until           timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, mailbox_id, kind)
);

-- The CRM ------------------------------------------------------------------------------------------------------------

CREATE TABLE company (
    workspace_id    bigint NOT NULL REFERENCES workspace (id),
    id              bigint NOT NULL,
    name            text NOT NULL,
    sort_key        text NOT NULL,
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX company_sort ON company (workspace_id, sort_key, id);

CREATE TABLE company_domain (
    workspace_id    bigint NOT NULL,
    id              bigint NOT NULL,
    company_id      bigint NOT NULL,
    domain          text NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, domain),
    FOREIGN KEY (workspace_id, company_id) REFERENCES company (workspace_id, id) ON DELETE CASCADE
);

CREATE INDEX company_domain_company ON company_domain (workspace_id, company_id);

CREATE TABLE contact (
    workspace_id    bigint NOT NULL REFERENCES workspace (id),
    id              bigint NOT NULL,
    name            text NOT NULL,
    sort_key        text NOT NULL,
    title           text NOT NULL DEFAULT '',
    phone           text NOT NULL DEFAULT '',
    note            text NOT NULL DEFAULT '',
    company_id      bigint,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, company_id) REFERENCES company (workspace_id, id) ON DELETE SET NULL (company_id)
);
CREATE INDEX contact_sort ON contact (workspace_id, sort_key, id);
CREATE INDEX contact_company ON contact (workspace_id, company_id);

CREATE TABLE contact_address (
    workspace_id    bigint NOT NULL,
    id              bigint NOT NULL,
    contact_id      bigint NOT NULL,
    address         text NOT NULL,
    position        smallint NOT NULL,
    gen             smallint NOT NULL,
    h_address       bytea NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, gen, h_address),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contact (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX contact_address_contact ON contact_address (workspace_id, contact_id);

-- Mailboxes ----------------------------------------------------------------------------------------------------------

CREATE TABLE mailbox (
    workspace_id    bigint NOT NULL REFERENCES workspace (id),
    id              bigint NOT NULL,
    member_id       bigint NOT NULL,
    kind            text NOT NULL,
    gen             smallint NOT NULL,
    h_account       bytea NOT NULL,
    s_account       bytea NOT NULL,
    direction       text NOT NULL DEFAULT 'one_way',
    selection       text NOT NULL DEFAULT 'contacts' CHECK (selection IN ('all', 'labels', 'contacts')),
    since           timestamptz,
    interval_s      integer NOT NULL DEFAULT 300,
    level           text NOT NULL DEFAULT 'only_me',
    settings_rev    integer NOT NULL DEFAULT 1,
    state           text NOT NULL,
    state_since     timestamptz NOT NULL,
    state_code      text NOT NULL DEFAULT '',
    retry_at        timestamptz,
    tries           integer NOT NULL DEFAULT 0,
    checked_at      timestamptz,
    synced_at       timestamptz,
    import_from     timestamptz,
    import_done_at  timestamptz,
    folders_at      timestamptz,
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, kind, gen, h_account),
    FOREIGN KEY (workspace_id, member_id) REFERENCES member (workspace_id, id)
);
CREATE INDEX mailbox_member ON mailbox (workspace_id, member_id);

CREATE TABLE mailbox_secret (
    workspace_id    bigint NOT NULL,
    mailbox_id      bigint NOT NULL,
    s_tokens        bytea NOT NULL,
    -- another one for each grant and each refreshed token; never used again, also not after a disconnect
    rev             bigint NOT NULL DEFAULT nextval('flow_id'),
    expires_at      timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, mailbox_id),
    FOREIGN KEY (workspace_id, mailbox_id) REFERENCES mailbox (workspace_id, id) ON DELETE CASCADE
);

-- Whose living grants are for the same account at a provider, in whichever workspaces: the provider ends them all together. A
-- routing table; the hash is keyed by the instance.
CREATE TABLE mailbox_grant (
    workspace_id    bigint NOT NULL,
    mailbox_id      bigint NOT NULL,
    gen             smallint NOT NULL,
    h_account       bytea NOT NULL,
    PRIMARY KEY (workspace_id, mailbox_id),
    FOREIGN KEY (workspace_id, mailbox_id) REFERENCES mailbox_secret (workspace_id, mailbox_id) ON DELETE CASCADE
);
CREATE INDEX mailbox_grant_account ON mailbox_grant (gen, h_account);

CREATE TABLE mailbox_identity (
    workspace_id    bigint NOT NULL,
    mailbox_id      bigint NOT NULL,
    gen             smallint NOT NULL,
    h_address       bytea NOT NULL,
    s_address       bytea NOT NULL,
    PRIMARY KEY (workspace_id, mailbox_id, gen, h_address),
    FOREIGN KEY (workspace_id, mailbox_id) REFERENCES mailbox (workspace_id, id) ON DELETE CASCADE
);

-- The sign-in address of a member: with or without a mailbox here, mail from it is the account's own.
CREATE TABLE member_address (
    workspace_id    bigint NOT NULL,
    member_id       bigint NOT NULL,
    gen             smallint NOT NULL,
    h_address       bytea NOT NULL,
    PRIMARY KEY (workspace_id, member_id, gen),
    FOREIGN KEY (workspace_id, member_id) REFERENCES member (workspace_id, id) ON DELETE CASCADE
);

CREATE TABLE folder (
    workspace_id    bigint NOT NULL,
    id              bigint NOT NULL,
    mailbox_id      bigint NOT NULL,
    provider_id     text NOT NULL,
    s_name          bytea NOT NULL,
    role            text NOT NULL,
    chosen          boolean NOT NULL DEFAULT false,
    excluded        boolean NOT NULL DEFAULT false,
    gone_at         timestamptz,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, mailbox_id, provider_id),
    FOREIGN KEY (workspace_id, mailbox_id) REFERENCES mailbox (workspace_id, id) ON DELETE CASCADE
);

-- A bookmark at the provider. scope: 'main', or 'contact:<id>' for the past of one contact.
-- rev grows when somebody else than the sync moves it: a page that was read before is then not its continuation.
-- relist: walk the mailbox again from its newest mail, but go on following from the bookmark there is.
CREATE TABLE cursor (
    workspace_id    bigint NOT NULL,
    mailbox_id      bigint NOT NULL,
    scope           text NOT NULL,
    value           text,
    listing         boolean NOT NULL,
    relist          boolean NOT NULL DEFAULT false,
    rev             integer NOT NULL DEFAULT 0,
    listed          integer NOT NULL DEFAULT 0,
    updated_at      timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, mailbox_id, scope),
    FOREIGN KEY (workspace_id, mailbox_id) REFERENCES mailbox (workspace_id, id) ON DELETE CASCADE
);

-- What the provider lets us spend; shared by all workers. units: left at `refilled_at`; per_minute: learned from answers.
CREATE TABLE budget (
    workspace_id    bigint NOT NULL,
    mailbox_id      bigint NOT NULL,
    units           double precision NOT NULL,
    per_minute      double precision NOT NULL,
    refilled_at     timestamptz NOT NULL,
    not_before      timestamptz,
    throttled_at    timestamptz,
    PRIMARY KEY (workspace_id, mailbox_id),
    FOREIGN KEY (workspace_id, mailbox_id) REFERENCES mailbox (workspace_id, id) ON DELETE CASCADE
);

-- The work-list: mails that are known by id and not (yet) kept. lane: 0 new mail, 1 a contact's past, 2 import, 3 recheck.
-- state: ready, retry (a fault of this item), quarantined (given up until asked). A mail that waits for a limit is ready: there
-- is no room for it yet.
-- tries: for the back-off; faults: how many of them failed for a reason that lies in this mail; begun: how often a worker has
-- begun with it and was not heard of again.
-- recheck: the mail is kept already, but we may have missed changes to it (the provider had lost our cursor).
CREATE TABLE work (
    workspace_id    bigint NOT NULL,
    id              bigint NOT NULL,
    mailbox_id      bigint NOT NULL,
    provider_id     text NOT NULL,
    thread_id       text,
    folder_ids      text[],
    lane            smallint NOT NULL,
    state           text NOT NULL DEFAULT 'ready',
    sort            bigint NOT NULL,
    due_at          timestamptz NOT NULL,
    tries           integer NOT NULL DEFAULT 0,
    faults          integer NOT NULL DEFAULT 0,
    begun           integer NOT NULL DEFAULT 0,
    reason          text NOT NULL DEFAULT '',
    address_matched boolean NOT NULL DEFAULT false,
    recheck         boolean NOT NULL DEFAULT false,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, mailbox_id, provider_id),
    FOREIGN KEY (workspace_id, mailbox_id) REFERENCES mailbox (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX work_next ON work (workspace_id, mailbox_id, lane, sort) WHERE state <> 'quarantined';

-- How many mails were looked at and not kept, by the rule that said so. No ids, no content.
CREATE TABLE skipped (
    workspace_id    bigint NOT NULL,
    mailbox_id      bigint NOT NULL,
    rule            text NOT NULL,
    n               bigint NOT NULL,
    PRIMARY KEY (workspace_id, mailbox_id, rule),
    FOREIGN KEY (workspace_id, mailbox_id) REFERENCES mailbox (workspace_id, id) ON DELETE CASCADE
);

-- Mail ---------------------------------------------------------------------------------------------------------------

CREATE TABLE conversation (
    workspace_id    bigint NOT NULL REFERENCES workspace (id),
    id              bigint NOT NULL,
    alias_of        bigint,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX conversation_alias ON conversation (workspace_id, alias_of) WHERE alias_of IS NOT NULL;

-- Everything that ties mails together: keyed Message-IDs (own and named) and the provider's thread inside one mailbox.
CREATE TABLE mid (
    workspace_id    bigint NOT NULL,
    gen             smallint NOT NULL,
    h_mid           bytea NOT NULL,
    conversation_id bigint NOT NULL,
    PRIMARY KEY (workspace_id, gen, h_mid)
);
CREATE INDEX mid_conversation ON mid (workspace_id, conversation_id);

-- ours: a member of the account sent it (store/writes/ours.py). Once true it stays so.
CREATE TABLE message (
    workspace_id    bigint NOT NULL REFERENCES workspace (id),
    id              bigint NOT NULL,
    conversation_id bigint NOT NULL,
    at              timestamptz NOT NULL,
    ours            boolean NOT NULL,
    flags           integer NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX message_conversation ON message (workspace_id, conversation_id, at);

-- Sharing one key makes variants one message (the id key with the core, or the content key).
CREATE TABLE message_key (
    workspace_id    bigint NOT NULL,
    gen             smallint NOT NULL,
    h_key           bytea NOT NULL,
    message_id      bigint NOT NULL,
    PRIMARY KEY (workspace_id, gen, h_key),
    FOREIGN KEY (workspace_id, message_id) REFERENCES message (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX message_key_message ON message_key (workspace_id, message_id);

CREATE TABLE variant (
    workspace_id    bigint NOT NULL,
    id              bigint NOT NULL,
    message_id      bigint NOT NULL,
    gen             smallint NOT NULL,
    h_candidate     bytea NOT NULL,
    h_content       bytea NOT NULL,
    h_core          bytea NOT NULL,
    -- of the attachments, keyed with the candidate
    h_files         bytea NOT NULL,
    s_body          bytea NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, gen, h_candidate, h_content),
    FOREIGN KEY (workspace_id, message_id) REFERENCES message (workspace_id, id) ON DELETE CASCADE
);
ALTER TABLE variant ALTER s_body SET STORAGE EXTERNAL;
CREATE INDEX variant_message ON variant (workspace_id, message_id);

-- Variants that have come under a candidate of another message: a job compares their texts (docs/why/identity.md). A routing
-- table, so that the job finds the workspaces.
CREATE TABLE nearby (
    workspace_id    bigint NOT NULL,
    variant_id      bigint NOT NULL,
    PRIMARY KEY (workspace_id, variant_id),
    FOREIGN KEY (workspace_id, variant_id) REFERENCES variant (workspace_id, id) ON DELETE CASCADE
);

-- The bytes after the header block, once per content. Small ones in the row, others in the object store (`ref`).
CREATE TABLE blob (
    workspace_id    bigint NOT NULL,
    gen             smallint NOT NULL,
    h_content       bytea NOT NULL,
    id              bigint NOT NULL,
    size            bigint NOT NULL,
    s_data          bytea,
    ref             text,
    PRIMARY KEY (workspace_id, gen, h_content),
    CHECK ((s_data IS NULL) <> (ref IS NULL))
);
ALTER TABLE blob ALTER s_data SET STORAGE EXTERNAL;
CREATE INDEX blob_ref ON blob (workspace_id, ref) WHERE ref IS NOT NULL;

CREATE TABLE copy (
    workspace_id    bigint NOT NULL,
    id              bigint NOT NULL,
    message_id      bigint NOT NULL,
    variant_id      bigint NOT NULL,
    mailbox_id      bigint NOT NULL,
    provider_id     text NOT NULL,
    thread_id       text,
    at              timestamptz NOT NULL,
    s_head          bytea NOT NULL,
    s_headers       bytea NOT NULL,
    gen             smallint NOT NULL,
    h_body          bytea NOT NULL,
    body_whole      boolean NOT NULL,
    sent            boolean NOT NULL,
    unread          boolean NOT NULL,
    gone_at         timestamptz,
    private         boolean NOT NULL DEFAULT false,
    -- only its owner may ever see it, whatever the mailbox's level says (mail among members)
    capped          boolean NOT NULL DEFAULT false,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, mailbox_id, provider_id),
    FOREIGN KEY (workspace_id, message_id) REFERENCES message (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, variant_id) REFERENCES variant (workspace_id, id),
    FOREIGN KEY (workspace_id, mailbox_id) REFERENCES mailbox (workspace_id, id)
);
ALTER TABLE copy ALTER s_head SET STORAGE EXTERNAL, ALTER s_headers SET STORAGE EXTERNAL;
CREATE INDEX copy_message ON copy (workspace_id, message_id);
CREATE INDEX copy_variant ON copy (workspace_id, variant_id);
CREATE INDEX copy_newest ON copy (workspace_id, mailbox_id, at DESC, id);
CREATE INDEX copy_unread ON copy (workspace_id, mailbox_id, at DESC, id) WHERE unread;

CREATE TABLE copy_folder (
    workspace_id    bigint NOT NULL,
    copy_id         bigint NOT NULL,
    provider_id     text NOT NULL,
    PRIMARY KEY (workspace_id, copy_id, provider_id),
    FOREIGN KEY (workspace_id, copy_id) REFERENCES copy (workspace_id, id) ON DELETE CASCADE
);

-- Who stands in which copy's headers: a Bcc is the copy's own. mailbox_id, at, unread (the copy's) and files (its message's) are
-- said again here, so that a person's emails are found in order. Of them unread changes with its copy, and files once comes true.
CREATE TABLE participant (
    workspace_id    bigint NOT NULL,
    copy_id         bigint NOT NULL,
    gen             smallint NOT NULL,
    h_address       bytea NOT NULL,
    h_domain        bytea NOT NULL,
    role            text NOT NULL,
    mailbox_id      bigint NOT NULL,
    at              timestamptz NOT NULL,
    unread          boolean NOT NULL,
    files           boolean NOT NULL,
    PRIMARY KEY (workspace_id, copy_id, gen, h_address, role),
    FOREIGN KEY (workspace_id, copy_id) REFERENCES copy (workspace_id, id) ON DELETE CASCADE
);
-- A person's emails in one mailbox, newest first.
CREATE INDEX participant_newest ON participant (workspace_id, gen, h_address, mailbox_id, at DESC, copy_id);
CREATE INDEX participant_unread ON participant (workspace_id, gen, h_address, mailbox_id, at DESC, copy_id) WHERE unread;
CREATE INDEX participant_files ON participant (workspace_id, gen, h_address, mailbox_id, at DESC, copy_id) WHERE files;

CREATE TABLE attachment (
    workspace_id    bigint NOT NULL,
    id              bigint NOT NULL,
    variant_id      bigint NOT NULL,
    part            text NOT NULL,
    size            bigint NOT NULL,
    inline          boolean NOT NULL,
    over_limit      boolean NOT NULL,
    s_meta          bytea NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, variant_id) REFERENCES variant (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX attachment_variant ON attachment (workspace_id, variant_id);

CREATE TABLE search_row (
    workspace_id    bigint NOT NULL,
    message_id      bigint NOT NULL,
    scheme          smallint NOT NULL,
    at              timestamptz NOT NULL,
    tok             bigint[] NOT NULL,
    PRIMARY KEY (workspace_id, message_id),
    FOREIGN KEY (workspace_id, message_id) REFERENCES message (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX search_row_tok ON search_row USING gin (tok);

-- Limits and audit ---------------------------------------------------------------------------------------------------

-- used: messages newly stored by sync or import on that local day; never lowered.
CREATE TABLE usage_day (
    workspace_id    bigint NOT NULL REFERENCES workspace (id),
    local_date      date NOT NULL,
    used            bigint NOT NULL DEFAULT 0,
    import_used     bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (workspace_id, local_date)
);

-- stored: messages at rest. Its row lock also orders the commits of one workspace (docs/why/one-commit-at-a-time.md).
CREATE TABLE usage_total (
    workspace_id    bigint PRIMARY KEY REFERENCES workspace (id),
    stored          bigint NOT NULL DEFAULT 0 CHECK (stored >= 0)
);

-- batch: set once, when the record is closed into a batch of the chain. Ids and times of records ascend in no order of commits,
-- so a batch is not a range of either: a record that commits late has no batch yet and goes into the next one.
CREATE TABLE audit (
    workspace_id    bigint NOT NULL REFERENCES workspace (id),
    id              bigint NOT NULL,
    at              timestamptz NOT NULL,
    actor_id        bigint,
    verb            text NOT NULL,
    surface         text NOT NULL,
    ip              inet,
    object_ids      bigint[] NOT NULL,
    batch           bigint,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX audit_newest ON audit (workspace_id, at DESC, id);
CREATE INDEX audit_batch_record ON audit (workspace_id, batch, id);

-- The chain (docs/reference/audit.md). number: 1, 2, 3 … without gaps; records: how many; digest: of their canonical form;
-- mac: over all of these and the previous batch's mac, by a key outside of the database.
CREATE TABLE audit_batch (
    workspace_id    bigint NOT NULL REFERENCES workspace (id),
    number          bigint NOT NULL,
    records         bigint NOT NULL,
    digest          bytea NOT NULL,
    previous        bytea NOT NULL,
    mac             bytea NOT NULL,
    closed_at       timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, number)
);

-- Where the chain begins after retention has dropped its oldest batches: the last of those, and a signature over it.
CREATE TABLE audit_checkpoint (
    workspace_id    bigint PRIMARY KEY REFERENCES workspace (id),
    number          bigint NOT NULL,
    mac             bytea NOT NULL,
    closed_at       timestamptz NOT NULL,
    signature       bytea NOT NULL
);

-- Isolation ----------------------------------------------------------------------------------------------------------

-- current_setting without missing_ok raises where no workspace is set: nothing is read by accident, and "nothing there"
-- is never mistaken for "not allowed to look".
DO $$
DECLARE
    t text;
    key text;
BEGIN
    FOREACH t IN ARRAY ARRAY[
        'workspace', 'member', 'mailbox_due', 'lease', 'company', 'company_domain', 'contact', 'contact_address', 'mailbox',
        'mailbox_secret', 'mailbox_grant', 'mailbox_identity', 'member_address', 'folder', 'cursor', 'budget', 'work', 'skipped',
        'conversation', 'mid', 'message', 'message_key', 'variant', 'nearby', 'blob', 'copy', 'copy_folder', 'participant',
        'attachment', 'search_row', 'usage_day', 'usage_total', 'audit', 'audit_batch', 'audit_checkpoint']
    LOOP
        key := CASE t WHEN 'workspace' THEN 'id' ELSE 'workspace_id' END;
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format(
            'CREATE POLICY app ON %I TO flowcrm_app USING (%I = current_setting(''app.workspace'')::bigint)', t, key);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO flowcrm_app', t);
    END LOOP;

    FOREACH t IN ARRAY ARRAY['workspace', 'member', 'mailbox_due', 'lease', 'mailbox_grant', 'nearby'] LOOP
        EXECUTE format('CREATE POLICY router ON %I TO flowcrm_router USING (true)', t);
        EXECUTE format('GRANT SELECT ON %I TO flowcrm_router', t);
    END LOOP;
END $$;

GRANT SELECT, INSERT, UPDATE, DELETE ON account_name, instance_setting TO flowcrm_app;
GRANT SELECT ON account_name TO flowcrm_router;
GRANT INSERT, UPDATE, DELETE ON lease TO flowcrm_router;
-- An audit record is written once: the application can neither change nor drop one, nor say which batch it belongs to. Batches
-- it can only read, and close through the function below; retention is the operator's, who runs it as the owner.
REVOKE INSERT, UPDATE, DELETE ON audit, audit_batch, audit_checkpoint FROM flowcrm_app;
GRANT INSERT (workspace_id, id, at, actor_id, verb, surface, ip, object_ids) ON audit TO flowcrm_app;

-- The MAC is made outside of the database, where the key is; this function writes it down. It runs as a role without login
-- that may do just that: put records that have no batch into a new batch at the chain's end. Column grants to the application
-- would have let it also move records between batches, or write batches without records.
CREATE POLICY closing ON audit TO flowcrm_audit USING (workspace_id = current_setting('app.workspace')::bigint);
CREATE POLICY closing ON audit_batch TO flowcrm_audit USING (workspace_id = current_setting('app.workspace')::bigint);
CREATE POLICY closing ON audit_checkpoint TO flowcrm_audit USING (workspace_id = current_setting('app.workspace')::bigint);
GRANT SELECT (workspace_id, id, batch), UPDATE (batch) ON audit TO flowcrm_audit;
GRANT SELECT, INSERT ON audit_batch TO flowcrm_audit;
GRANT SELECT ON audit_checkpoint TO flowcrm_audit;

CREATE FUNCTION close_audit_batch(number bigint, ids bigint[], digest bytea, previous bytea, mac bytea, closed_at timestamptz)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    workspace bigint := current_setting('app.workspace')::bigint;
    closed bigint;
BEGIN
    IF number <> 1 + greatest((SELECT max(b.number) FROM audit_batch b WHERE b.workspace_id = workspace),
                              (SELECT c.number FROM audit_checkpoint c WHERE c.workspace_id = workspace), 0) THEN
        RAISE EXCEPTION 'audit batch % is not the next one', number;
    END IF;
    UPDATE audit a SET batch = number WHERE a.workspace_id = workspace AND a.id = ANY(ids) AND a.batch IS NULL;
    GET DIAGNOSTICS closed = ROW_COUNT;
    IF closed <> cardinality(ids) OR closed = 0 THEN
        RAISE EXCEPTION 'audit batch %: % of % records are open', number, closed, cardinality(ids);
    END IF;
    INSERT INTO audit_batch VALUES (workspace, number, closed, digest, previous, mac, closed_at);
END $$;

-- Under a policy PostgreSQL may not use GIN for array operators (they are not leak-proof), so search goes through this one
-- function. Its owner is a role without login whose own policy opens search_row; the workspace condition stands inside, and
-- only ids leave it. Who may see the messages is decided by the caller, whose tokens carry the readable mailboxes.
CREATE POLICY search ON search_row FOR SELECT TO flowcrm_search USING (true);
GRANT SELECT ON search_row TO flowcrm_search;

CREATE FUNCTION find_tokens(all_of bigint[], any_of bigint[], newest_before timestamptz, at_most integer)
RETURNS TABLE (message_id bigint, at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
    SELECT s.message_id, s.at
    FROM search_row s
    WHERE s.workspace_id = current_setting('app.workspace')::bigint
      AND s.tok @> all_of AND s.tok && any_of AND s.at < newest_before
    ORDER BY s.at DESC, s.message_id DESC
    LIMIT at_most
$$;
GRANT CREATE ON SCHEMA public TO flowcrm_search, flowcrm_audit;
ALTER FUNCTION find_tokens(bigint[], bigint[], timestamptz, integer) OWNER TO flowcrm_search;
ALTER FUNCTION close_audit_batch(bigint, bigint[], bytea, bytea, bytea, timestamptz) OWNER TO flowcrm_audit;
REVOKE CREATE ON SCHEMA public FROM flowcrm_search, flowcrm_audit;
REVOKE EXECUTE ON FUNCTION find_tokens(bigint[], bigint[], timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_tokens(bigint[], bigint[], timestamptz, integer) TO flowcrm_app;
REVOKE EXECUTE ON FUNCTION close_audit_batch(bigint, bigint[], bytea, bytea, bytea, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION close_audit_batch(bigint, bigint[], bytea, bytea, bytea, timestamptz) TO flowcrm_app;
