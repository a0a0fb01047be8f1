-- Notices: what a member should know of without looking for it. No content of mail, ids and words for kinds only.
--
-- topic: what it is about, once for each member: the same trouble again renews its notice instead of adding one.
-- mailbox_id: shown to its owner, and to whoever is an admin when he looks. by_id: the member who did it.
-- ended_at: it is not so any more. detail: a state, a role; the kind says what it is of.
CREATE TABLE notice (
    workspace_id    bigint NOT NULL REFERENCES workspace (id),
    id              bigint NOT NULL,
    member_id       bigint NOT NULL,
    topic           text NOT NULL,
    kind            text NOT NULL,
    detail          text NOT NULL DEFAULT '',
    mailbox_id      bigint,
    by_id           bigint,
    at              timestamptz NOT NULL,
    read_at         timestamptz,
    ended_at        timestamptz,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, member_id, topic),
    FOREIGN KEY (workspace_id, member_id) REFERENCES member (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, mailbox_id) REFERENCES mailbox (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, by_id) REFERENCES member (workspace_id, id) ON DELETE SET NULL (by_id)
);
CREATE INDEX notice_newest ON notice (workspace_id, member_id, at DESC, id DESC);
CREATE INDEX notice_open ON notice (workspace_id, topic) WHERE ended_at IS NULL;
CREATE INDEX notice_mailbox ON notice (workspace_id, mailbox_id);
CREATE INDEX notice_by ON notice (workspace_id, by_id);

ALTER TABLE notice ENABLE ROW LEVEL SECURITY;
CREATE POLICY app ON notice TO flowcrm_app USING (workspace_id = current_setting('app.workspace')::bigint);
GRANT SELECT, INSERT, UPDATE, DELETE ON notice TO flowcrm_app;

-- Somebody who left: he gets into this account no more, and may come back. What his mailboxes brought stays as it is.
ALTER TABLE member ADD deactivated_at timestamptz;
