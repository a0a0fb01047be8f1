-- Labels that count for the whole thread (DESIGN section 5): which mails bear an excluded or a chosen one. Ids only.
--
-- at: the provider's time of the mail, where it is known: a chosen mail brings what came later in its thread.
-- seen: named by the listing of its label that is under way; what is not, at its end, bears the label no more.
CREATE TABLE mark (
    workspace_id    bigint NOT NULL,
    mailbox_id      bigint NOT NULL,
    provider_id     text NOT NULL,
    folder_id       text NOT NULL,
    thread_id       text NOT NULL,
    at              timestamptz,
    seen            boolean NOT NULL DEFAULT true,
    PRIMARY KEY (workspace_id, mailbox_id, provider_id, folder_id),
    FOREIGN KEY (workspace_id, mailbox_id) REFERENCES mailbox (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX mark_thread ON mark (workspace_id, mailbox_id, thread_id);
CREATE INDEX mark_folder ON mark (workspace_id, mailbox_id, folder_id);

-- Threads to look at as a whole: a label that counts for all of their mails was put on, or taken off.
CREATE TABLE thread_work (
    workspace_id    bigint NOT NULL,
    mailbox_id      bigint NOT NULL,
    thread_id       text NOT NULL,
    due_at          timestamptz NOT NULL,
    tries           integer NOT NULL DEFAULT 0,
    PRIMARY KEY (workspace_id, mailbox_id, thread_id),
    FOREIGN KEY (workspace_id, mailbox_id) REFERENCES mailbox (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX thread_work_due ON thread_work (workspace_id, mailbox_id, due_at);

-- For taking out a thread that must not be here: its copies, what waits of it, and who else has the same body.
CREATE INDEX copy_thread ON copy (workspace_id, mailbox_id, thread_id);
CREATE INDEX copy_body ON copy (workspace_id, gen, h_body);
CREATE INDEX work_thread ON work (workspace_id, mailbox_id, thread_id);

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['mark', 'thread_work'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format(
            'CREATE POLICY app ON %I TO flowcrm_app USING (workspace_id = current_setting(''app.workspace'')::bigint)', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO flowcrm_app', t);
    END LOOP;
END $$;
