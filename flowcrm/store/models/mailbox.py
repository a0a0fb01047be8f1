"""A member's account at a provider, and everything that the sync engine remembers of it."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from flowcrm.store.models.scoped import Scoped, link


class Mailbox(Scoped):
    """See mailboxes/states.py for what `state` may be and mean. s_account: the address, sealed."""

    member = link("Member", "mailboxes")
    kind = models.TextField()
    gen = models.SmallIntegerField()
    h_account = models.BinaryField()
    s_account = models.BinaryField()
    direction = models.TextField(default="one_way")
    selection = models.TextField(default="contacts")
    since = models.DateTimeField(null=True)
    interval_s = models.IntegerField(default=300)
    level = models.TextField(default="only_me")
    on_leave = models.TextField(default="keep")
    on_delete = models.TextField(default="keep")
    settings_rev = models.IntegerField(default=1)
    state = models.TextField()
    state_since = models.DateTimeField()
    state_code = models.TextField(default="")
    retry_at = models.DateTimeField(null=True)
    tries = models.IntegerField(default=0)
    checked_at = models.DateTimeField(null=True)
    synced_at = models.DateTimeField(null=True)
    import_from = models.DateTimeField(null=True)
    import_done_at = models.DateTimeField(null=True)
    folders_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "mailbox"


class MailboxSecret(models.Model):
    mailbox_id = models.BigIntegerField(primary_key=True)
    workspace_id = models.BigIntegerField()
    s_tokens = models.BinaryField()
    rev = models.BigIntegerField()
    expires_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "mailbox_secret"


class MailboxGrant(models.Model):
    """Routing: which account at its provider the mailbox's living grant is for; h_account is keyed by the instance."""

    mailbox_id = models.BigIntegerField(primary_key=True)
    workspace_id = models.BigIntegerField()
    gen = models.SmallIntegerField()
    h_account = models.BinaryField()

    class Meta:
        managed = False
        db_table = "mailbox_grant"


class Folder(Scoped):
    mailbox = link("Mailbox", "folders")
    provider_id = models.TextField()
    s_name = models.BinaryField()
    role = models.TextField()
    chosen = models.BooleanField(default=False)
    excluded = models.BooleanField(default=False)
    gone_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "folder"


class SettingsChange(Scoped):
    """A change of settings; the values are those before it."""

    mailbox = link("Mailbox", "changes")
    at = models.DateTimeField()
    selection = models.TextField()
    since = models.DateTimeField(null=True)
    interval_s = models.IntegerField()
    folder_ids = ArrayField(models.TextField())
    on_leave = models.TextField()
    on_delete = models.TextField()
    level = models.TextField()
    undoes = models.BigIntegerField(null=True)
    sweep = models.TextField(default="")
    swept_to = models.TextField(default="")

    class Meta:
        managed = False
        db_table = "settings_change"


class Cursor(models.Model):
    """A bookmark at the provider; the key is (workspace_id, mailbox_id, scope)."""

    workspace_id = models.BigIntegerField()
    mailbox_id = models.BigIntegerField()
    scope = models.TextField(primary_key=True)
    value = models.TextField(null=True)
    listing = models.BooleanField()
    relist = models.BooleanField()
    rev = models.IntegerField()
    listed = models.IntegerField()
    updated_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "cursor"


class Budget(models.Model):
    mailbox_id = models.BigIntegerField(primary_key=True)
    workspace_id = models.BigIntegerField()
    units = models.FloatField()
    per_minute = models.FloatField()
    refilled_at = models.DateTimeField()
    not_before = models.DateTimeField(null=True)
    throttled_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "budget"


class Work(Scoped):
    """A mail known by id and not (yet) kept."""

    mailbox = link("Mailbox", "work")
    provider_id = models.TextField()
    thread_id = models.TextField(null=True)
    folder_ids = ArrayField(models.TextField(), null=True)
    lane = models.SmallIntegerField()
    state = models.TextField(default="ready")
    sort = models.BigIntegerField()
    due_at = models.DateTimeField()
    tries = models.IntegerField(default=0)
    faults = models.IntegerField(default=0)
    begun = models.IntegerField(default=0)
    reason = models.TextField(default="")
    address_matched = models.BooleanField(default=False)
    recheck = models.BooleanField(default=False)

    class Meta:
        managed = False
        db_table = "work"


class Skipped(models.Model):
    """Counts only; the key is (workspace_id, mailbox_id, rule)."""

    workspace_id = models.BigIntegerField()
    mailbox_id = models.BigIntegerField()
    rule = models.TextField(primary_key=True)
    n = models.BigIntegerField()

    class Meta:
        managed = False
        db_table = "skipped"


class MailboxDue(models.Model):
    mailbox_id = models.BigIntegerField(primary_key=True)
    workspace_id = models.BigIntegerField()
    next_run_at = models.DateTimeField()
    lane = models.SmallIntegerField()

    class Meta:
        managed = False
        db_table = "mailbox_due"


class Lease(models.Model):
    mailbox_id = models.BigIntegerField(primary_key=True)
    workspace_id = models.BigIntegerField()
    kind = models.TextField()
    owner = models.TextField()
    epoch = models.BigIntegerField()
    until = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "lease"
