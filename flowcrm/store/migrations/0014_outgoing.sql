-- Mails that FlowCRM sends by itself: invitations and notices. Routing table: ids, states and times. What a mail says is made when
-- it goes, from the invitation or the notice it is of.
--
-- state: waiting; going (somebody has it in hand, and nothing has left); handed (it is leaving: whether it has arrived is not known
-- until the server says so); sent; failed; unsure (the server ended the connection then: never sent a second time by itself).
-- due_at: the next try, or until when whoever has it in hand may have it. tries: so many times taken in hand; it tells a worker
-- that came back too late. by_id: who asked for it. reason: what was in the way the last time.
CREATE TABLE outgoing (
    workspace_id    bigint NOT NULL REFERENCES workspace (id),
    id              bigint NOT NULL,
    invite_id       bigint,
    notice_id       bigint,
    by_id           bigint,
    state           text NOT NULL DEFAULT 'waiting'
                    CHECK (state IN ('waiting', 'going', 'handed', 'sent', 'failed', 'unsure')),
    made_at         timestamptz NOT NULL,
    due_at          timestamptz NOT NULL,
    tries           integer NOT NULL DEFAULT 0,
    reason          text NOT NULL DEFAULT '',
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, notice_id),
    FOREIGN KEY (workspace_id, invite_id) REFERENCES invite (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, notice_id) REFERENCES notice (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, by_id) REFERENCES member (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX outgoing_due ON outgoing (due_at) WHERE state IN ('waiting', 'going', 'handed');
CREATE INDEX outgoing_next ON outgoing (workspace_id, due_at) WHERE state IN ('waiting', 'going', 'handed');
CREATE INDEX outgoing_made ON outgoing (workspace_id, made_at);
CREATE INDEX outgoing_invite ON outgoing (workspace_id, invite_id, id);
CREATE INDEX outgoing_by ON outgoing (workspace_id, by_id);

ALTER TABLE outgoing ENABLE ROW LEVEL SECURITY;
CREATE POLICY app ON outgoing TO flowcrm_app USING (workspace_id = current_setting('app.workspace')::bigint);
GRANT SELECT, INSERT, UPDATE, DELETE ON outgoing TO flowcrm_app;
CREATE POLICY router ON outgoing TO flowcrm_router USING (true);
GRANT SELECT ON outgoing TO flowcrm_router;

-- An invitation that goes by mail: s_mail is the address and the link's secret, sealed, for as long as the link works. h_to: the
-- address, for counting how many went there.
ALTER TABLE invite ADD s_mail bytea, ADD gen smallint, ADD h_to bytea;

-- What a member is told of by mail, too (store/writes/notices.py): 'needed', 'limits', 'joined'.
ALTER TABLE member ADD mail_me text[] NOT NULL DEFAULT '{needed}';
