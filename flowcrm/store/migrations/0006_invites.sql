-- Invitations by link: single use, for a week. The link's secret is stored as its hash; the link names the workspace, so that
-- nothing is looked for outside of one.
CREATE TABLE invite (
    workspace_id    bigint NOT NULL REFERENCES workspace (id),
    id              bigint NOT NULL,
    h_token         bytea NOT NULL,
    name            text NOT NULL,
    role            text NOT NULL CHECK (role IN ('admin', 'user')),
    invited_by      bigint NOT NULL,
    expires_at      timestamptz NOT NULL,
    used_at         timestamptz,
    revoked_at      timestamptz,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, h_token),
    FOREIGN KEY (workspace_id, invited_by) REFERENCES member (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX invite_by ON invite (workspace_id, invited_by);

ALTER TABLE invite ENABLE ROW LEVEL SECURITY;
CREATE POLICY app ON invite TO flowcrm_app USING (workspace_id = current_setting('app.workspace')::bigint);
GRANT SELECT, INSERT, UPDATE, DELETE ON invite TO flowcrm_app;
