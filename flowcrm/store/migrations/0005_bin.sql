-- What was kept stays, unless the mailbox's owner wants it to go with the label or with the email at the provider (DESIGN section
-- 5, "Staying in"): then it lies in the bin for 30 days.
ALTER TABLE mailbox
    ADD on_leave text NOT NULL DEFAULT 'keep' CHECK (on_leave IN ('keep', 'remove')),
    ADD on_delete text NOT NULL DEFAULT 'keep' CHECK (on_delete IN ('keep', 'remove'));

-- binned_at: hidden from everybody since then, and gone for good 30 days later. binned_for: why ('deleted', 'left').
ALTER TABLE copy
    ADD binned_at timestamptz,
    ADD binned_for text CHECK ((binned_for IS NULL) = (binned_at IS NULL));
CREATE INDEX copy_binned ON copy (workspace_id, mailbox_id, binned_at DESC, id) WHERE binned_at IS NOT NULL;
