-- Where the mails of a mailbox lie, at providers that name a mail by its place (IMAP), and what ties them to threads
-- (docs/why/imap.md). Ids and keyed hashes, no content.
--
-- mail_id: the same wherever the mail lies. h_own: its own Message-ID. gone_at: nothing lies there any more; kept for a week, so
-- that a page that has to be read again tells the same.
CREATE TABLE place (
    workspace_id    bigint NOT NULL,
    mailbox_id      bigint NOT NULL,
    folder_id       text NOT NULL,
    validity        bigint NOT NULL,
    uid             bigint NOT NULL,
    mail_id         text NOT NULL,
    h_own           bytea NOT NULL,
    at              timestamptz NOT NULL,
    gone_at         timestamptz,
    PRIMARY KEY (workspace_id, mailbox_id, folder_id, validity, uid),
    FOREIGN KEY (workspace_id, mailbox_id) REFERENCES mailbox (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX place_mail ON place (workspace_id, mailbox_id, mail_id);
CREATE INDEX place_own ON place (workspace_id, mailbox_id, h_own);
CREATE INDEX place_gone ON place (workspace_id, mailbox_id, gone_at) WHERE gone_at IS NOT NULL;

-- A Message-ID that some mail bears or names, and the thread to which it belongs.
CREATE TABLE tie (
    workspace_id    bigint NOT NULL,
    mailbox_id      bigint NOT NULL,
    h_name          bytea NOT NULL,
    thread_id       text NOT NULL,
    PRIMARY KEY (workspace_id, mailbox_id, h_name),
    FOREIGN KEY (workspace_id, mailbox_id) REFERENCES mailbox (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX tie_thread ON tie (workspace_id, mailbox_id, thread_id);

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['place', 'tie'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format(
            'CREATE POLICY app ON %I TO flowcrm_app USING (workspace_id = current_setting(''app.workspace'')::bigint)', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO flowcrm_app', t);
    END LOOP;
END $$;
