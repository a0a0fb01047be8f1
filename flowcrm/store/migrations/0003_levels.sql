-- Who sees what (DESIGN section 5): private emails and threads. The level itself is the mailbox's, since the first migration.
--
-- shut: nobody but this copy's owner sees anything of it, whatever its mailbox's level says: it is capped, somebody who has the
-- email marked it private, or somebody has marked its thread. Derived (store/writes/private.py), so that lists need one look.
ALTER TABLE copy ADD shut boolean NOT NULL DEFAULT false;
UPDATE copy SET shut = true WHERE capped OR private;

-- Members who have marked a whole thread private: what comes later in it is private too.
CREATE TABLE private_thread (
    workspace_id    bigint NOT NULL,
    conversation_id bigint NOT NULL,
    member_id       bigint NOT NULL,
    PRIMARY KEY (workspace_id, conversation_id, member_id),
    FOREIGN KEY (workspace_id, conversation_id) REFERENCES conversation (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, member_id) REFERENCES member (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX private_thread_member ON private_thread (workspace_id, member_id);

ALTER TABLE private_thread ENABLE ROW LEVEL SECURITY;
CREATE POLICY app ON private_thread TO flowcrm_app USING (workspace_id = current_setting('app.workspace')::bigint);
GRANT SELECT, INSERT, UPDATE, DELETE ON private_thread TO flowcrm_app;
