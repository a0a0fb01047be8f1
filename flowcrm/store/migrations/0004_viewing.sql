-- Who has opened which email (claim K53), for the owners of its copies. Written beside the audit record, in the same transaction;
-- the audit log itself has ids in arrays, which no index finds under row-level security.
CREATE TABLE viewing (
    workspace_id    bigint NOT NULL,
    message_id      bigint NOT NULL,
    member_id       bigint NOT NULL,
    first_at        timestamptz NOT NULL,
    last_at         timestamptz NOT NULL,
    times           integer NOT NULL DEFAULT 1,
    PRIMARY KEY (workspace_id, message_id, member_id),
    FOREIGN KEY (workspace_id, message_id) REFERENCES message (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, member_id) REFERENCES member (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX viewing_member ON viewing (workspace_id, member_id);

ALTER TABLE viewing ENABLE ROW LEVEL SECURITY;
CREATE POLICY app ON viewing TO flowcrm_app USING (workspace_id = current_setting('app.workspace')::bigint);
GRANT SELECT, INSERT, UPDATE, DELETE ON viewing TO flowcrm_app;

-- One person's, one kind's or one surface's records without walking all of them.
CREATE INDEX audit_actor ON audit (workspace_id, actor_id, at DESC, id);
CREATE INDEX audit_verb ON audit (workspace_id, verb, at DESC, id);
CREATE INDEX audit_surface ON audit (workspace_id, surface, at DESC, id);
