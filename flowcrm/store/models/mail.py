"""Messages, their exact contents, and the places they lie in. Everything that comes from mail is sealed."""

from django.db import models

from flowcrm.store.models.scoped import Scoped, link


class Conversation(Scoped):
    alias_of = models.BigIntegerField(null=True)

    class Meta:
        managed = False
        db_table = "conversation"


class Message(Scoped):
    """One real email, shown once. at: the provider's time of its earliest copy."""

    conversation_id = models.BigIntegerField()
    at = models.DateTimeField()
    ours = models.BooleanField()
    flags = models.IntegerField()

    class Meta:
        managed = False
        db_table = "message"


class Variant(Scoped):
    """One exact content of a message."""

    message = link("Message", "variants")
    gen = models.SmallIntegerField()
    h_candidate = models.BinaryField()
    h_content = models.BinaryField()
    h_core = models.BinaryField()
    h_files = models.BinaryField()
    s_body = models.BinaryField()

    class Meta:
        managed = False
        db_table = "variant"


class Blob(models.Model):
    """The bytes after the header block, once per content; the key is (workspace_id, gen, h_content)."""

    id = models.BigIntegerField(primary_key=True)
    workspace_id = models.BigIntegerField()
    gen = models.SmallIntegerField()
    h_content = models.BinaryField()
    size = models.BigIntegerField()
    s_data = models.BinaryField(null=True)
    ref = models.TextField(null=True)

    class Meta:
        managed = False
        db_table = "blob"


class Copy(Scoped):
    """A message in one place."""

    message = link("Message", "copies")
    variant = link("Variant", "copies")
    mailbox = link("Mailbox", "copies")
    provider_id = models.TextField()
    thread_id = models.TextField(null=True)
    at = models.DateTimeField()
    s_head = models.BinaryField()
    s_headers = models.BinaryField()
    gen = models.SmallIntegerField()
    h_body = models.BinaryField()
    body_whole = models.BooleanField()
    sent = models.BooleanField()
    unread = models.BooleanField()
    gone_at = models.DateTimeField(null=True)
    private = models.BooleanField(default=False)
    capped = models.BooleanField(default=False)
    shut = models.BooleanField(default=False)
    binned_at = models.DateTimeField(null=True)
    binned_for = models.TextField(null=True)
    binned_by = models.BigIntegerField(null=True)

    class Meta:
        managed = False
        db_table = "copy"


class CopyFolder(models.Model):
    copy_id = models.BigIntegerField(primary_key=True)
    workspace_id = models.BigIntegerField()
    provider_id = models.TextField()

    class Meta:
        managed = False
        db_table = "copy_folder"


class Participant(models.Model):
    """A person in the headers of a copy. mailbox_id, at, unread: the copy's. files: the message's."""

    copy_id = models.BigIntegerField(primary_key=True)
    workspace_id = models.BigIntegerField()
    gen = models.SmallIntegerField()
    h_address = models.BinaryField()
    h_domain = models.BinaryField()
    role = models.TextField()
    mailbox_id = models.BigIntegerField()
    at = models.DateTimeField()
    unread = models.BooleanField()
    files = models.BooleanField()

    class Meta:
        managed = False
        db_table = "participant"


class Attachment(Scoped):
    """s_meta: name, type and content id, sealed."""

    variant = link("Variant", "attachments")
    part = models.TextField()
    size = models.BigIntegerField()
    inline = models.BooleanField()
    over_limit = models.BooleanField()
    s_meta = models.BinaryField()

    class Meta:
        managed = False
        db_table = "attachment"
