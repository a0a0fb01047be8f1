-- Exclusion lists (DESIGN section 5, rule 2): addresses and domains whose mail stays out. member_id: of the mailboxes of that
-- member; NULL: of the whole account. Sealed, with a look-up hash of its kind: who is kept out of a CRM is nobody's business.
-- state: 'putting' and 'leaving' while what is stored of it is still to follow; one that is leaving keeps nothing out any more.
CREATE TABLE exclusion (
    workspace_id    bigint NOT NULL REFERENCES workspace (id),
    id              bigint NOT NULL,
    member_id       bigint,
    kind            text NOT NULL CHECK (kind IN ('address', 'domain')),
    gen             smallint NOT NULL,
    h_value         bytea NOT NULL,
    s_value         bytea NOT NULL,
    state           text NOT NULL CHECK (state IN ('putting', 'on', 'leaving')),
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE NULLS NOT DISTINCT (workspace_id, member_id, gen, kind, h_value),
    FOREIGN KEY (workspace_id, member_id) REFERENCES member (workspace_id, id) ON DELETE CASCADE
);

ALTER TABLE exclusion ENABLE ROW LEVEL SECURITY;
CREATE POLICY app ON exclusion TO flowcrm_app USING (workspace_id = current_setting('app.workspace')::bigint);
GRANT SELECT, INSERT, UPDATE, DELETE ON exclusion TO flowcrm_app;

-- Whose mail is stored, by domain: for taking it out, and for walking the domains that there are.
CREATE INDEX participant_domain ON participant (workspace_id, gen, h_domain, mailbox_id);
