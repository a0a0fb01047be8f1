-- Changes of a mailbox's settings, with what was set before: the last one can be undone for 30 days (DESIGN section 5, "Changing a
-- setting").
--
-- undoes: the change that this one took back. sweep: what is still to be done with what is stored: '' nothing, 'keep' only what
-- fits again comes back from the bin, 'bin' also what does not fit goes there. swept_to: all up to this mail has been looked at.
CREATE TABLE settings_change (
    workspace_id    bigint NOT NULL,
    id              bigint NOT NULL,
    mailbox_id      bigint NOT NULL,
    at              timestamptz NOT NULL,
    selection       text NOT NULL,
    since           timestamptz,
    interval_s      integer NOT NULL,
    folder_ids      text[] NOT NULL,
    on_leave        text NOT NULL,
    on_delete       text NOT NULL,
    level           text NOT NULL,
    undoes          bigint,
    sweep           text NOT NULL DEFAULT '' CHECK (sweep IN ('', 'keep', 'bin')),
    swept_to        text NOT NULL DEFAULT '',
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, mailbox_id) REFERENCES mailbox (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX settings_change_mailbox ON settings_change (workspace_id, mailbox_id, id);

-- The change that put it there, where binned_for is 'narrowed': undone, it comes back.
ALTER TABLE copy ADD binned_by bigint;

ALTER TABLE settings_change ENABLE ROW LEVEL SECURITY;
CREATE POLICY app ON settings_change TO flowcrm_app USING (workspace_id = current_setting('app.workspace')::bigint);
GRANT SELECT, INSERT, UPDATE, DELETE ON settings_change TO flowcrm_app;
