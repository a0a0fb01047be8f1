-- A file of contacts between its upload and the import, for its member alone: here until he has decided, an hour at most.
--
-- s_file: the bytes as they came, sealed. What becomes a contact is in clear then, like all contacts; what does not, never was.
CREATE TABLE contact_upload (
    workspace_id    bigint NOT NULL,
    id              bigint NOT NULL,
    member_id       bigint NOT NULL,
    at              timestamptz NOT NULL,
    s_file          bytea NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, member_id) REFERENCES member (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX contact_upload_member ON contact_upload (workspace_id, member_id);

ALTER TABLE contact_upload ENABLE ROW LEVEL SECURITY;
CREATE POLICY app ON contact_upload TO flowcrm_app USING (workspace_id = current_setting('app.workspace')::bigint);
GRANT SELECT, INSERT, UPDATE, DELETE ON contact_upload TO flowcrm_app;
