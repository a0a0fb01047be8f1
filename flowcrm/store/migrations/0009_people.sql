-- People whom a mailbox's owner has written to, from the headers of what he sent: here until he has decided, 30 days at most.
--
-- A routing table, so that the job finds them. state: reading, stopped (code says why), ready. cursor: the connector's; NULL
-- before the first page, kept with listed = true once all ids are known.
CREATE TABLE people_scan (
    workspace_id    bigint NOT NULL,
    mailbox_id      bigint NOT NULL,
    state           text NOT NULL CHECK (state IN ('reading', 'stopped', 'ready')),
    code            text NOT NULL DEFAULT '',
    since           timestamptz NOT NULL,
    cursor          text,
    listed          boolean NOT NULL DEFAULT false,
    next_at         timestamptz NOT NULL,
    tries           integer NOT NULL DEFAULT 0,
    begun_at        timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, mailbox_id),
    FOREIGN KEY (workspace_id, mailbox_id) REFERENCES mailbox (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX people_scan_next ON people_scan (next_at) WHERE state = 'reading';

-- The sent mails to read, by the provider's id: a page that is listed twice counts nobody twice.
CREATE TABLE people_mail (
    workspace_id    bigint NOT NULL,
    mailbox_id      bigint NOT NULL,
    provider_id     text NOT NULL,
    position        integer NOT NULL,
    read            boolean NOT NULL DEFAULT false,
    PRIMARY KEY (workspace_id, mailbox_id, provider_id),
    FOREIGN KEY (workspace_id, mailbox_id) REFERENCES people_scan (workspace_id, mailbox_id) ON DELETE CASCADE
);
CREATE INDEX people_mail_unread ON people_mail (workspace_id, mailbox_id, position) WHERE NOT read;

-- s_person: address and names, sealed. written: to how many mails; last_at: the latest of them.
CREATE TABLE people_found (
    workspace_id    bigint NOT NULL,
    id              bigint NOT NULL,
    mailbox_id      bigint NOT NULL,
    gen             smallint NOT NULL,
    h_address       bytea NOT NULL,
    s_person        bytea NOT NULL,
    written         integer NOT NULL,
    last_at         timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, mailbox_id, gen, h_address),
    FOREIGN KEY (workspace_id, mailbox_id) REFERENCES people_scan (workspace_id, mailbox_id) ON DELETE CASCADE
);
CREATE INDEX people_found_most ON people_found (workspace_id, mailbox_id, written DESC, last_at DESC);

-- What takes back a merge or a split of contacts, for 30 days or until one of them is changed: in clear, like the contacts.
-- state: the contacts as they were, and when each was last changed then (store/writes/merging.py).
CREATE TABLE contact_undo (
    workspace_id    bigint NOT NULL,
    id              bigint NOT NULL,
    contact_id      bigint NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('merge', 'split')),
    at              timestamptz NOT NULL,
    state           jsonb NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, contact_id) REFERENCES contact (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX contact_undo_contact ON contact_undo (workspace_id, contact_id);

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['people_scan', 'people_mail', 'people_found', 'contact_undo'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format(
            'CREATE POLICY app ON %I TO flowcrm_app USING (workspace_id = current_setting(''app.workspace'')::bigint)', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO flowcrm_app', t);
    END LOOP;
END $$;
CREATE POLICY router ON people_scan TO flowcrm_router USING (true);
GRANT SELECT ON people_scan TO flowcrm_router;

-- A scan has a lease of its own: neither sync nor a person's click waits behind it.
ALTER TABLE lease DROP CONSTRAINT lease_kind_check, ADD CONSTRAINT lease_kind_check
    CHECK (kind IN ('sync', 'act', 'watch', 'people'));
