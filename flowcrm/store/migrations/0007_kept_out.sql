-- "Remove from FlowCRM and keep out": emails and threads of one mailbox that do not come in again until somebody brings them back
-- (DESIGN section 5, rule 1). Ids at the provider, no content.
CREATE TABLE kept_out (
    workspace_id    bigint NOT NULL,
    mailbox_id      bigint NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('email', 'thread')),
    provider_id     text NOT NULL,
    at              timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, mailbox_id, kind, provider_id),
    FOREIGN KEY (workspace_id, mailbox_id) REFERENCES mailbox (workspace_id, id) ON DELETE CASCADE
);

ALTER TABLE kept_out ENABLE ROW LEVEL SECURITY;
CREATE POLICY app ON kept_out TO flowcrm_app USING (workspace_id = current_setting('app.workspace')::bigint);
GRANT SELECT, INSERT, UPDATE, DELETE ON kept_out TO flowcrm_app;
