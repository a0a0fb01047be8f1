-- "Not this one": people whom a member has written to, and who are not suggested to him as contacts. Keyed hashes, nothing else.
CREATE TABLE passed_over (
    workspace_id    bigint NOT NULL,
    member_id       bigint NOT NULL,
    gen             smallint NOT NULL,
    h_address       bytea NOT NULL,
    at              timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, member_id, gen, h_address),
    FOREIGN KEY (workspace_id, member_id) REFERENCES member (workspace_id, id) ON DELETE CASCADE
);

-- What a mailbox's owner sent, newest first: whom he wrote to.
CREATE INDEX copy_sent ON copy (workspace_id, mailbox_id, at DESC, id) WHERE sent;

-- Contacts that were merged away, and where they went: their old addresses on the web lead there. No foreign key to the contact: it
-- may be deleted and brought back.
CREATE TABLE contact_merged (
    workspace_id    bigint NOT NULL REFERENCES workspace (id),
    id              bigint NOT NULL,
    contact_id      bigint NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX contact_merged_into ON contact_merged (workspace_id, contact_id);

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['passed_over', 'contact_merged'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format(
            'CREATE POLICY app ON %I TO flowcrm_app USING (workspace_id = current_setting(''app.workspace'')::bigint)', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO flowcrm_app', t);
    END LOOP;
END $$;
