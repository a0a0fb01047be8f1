"""What a member should know of without looking for it."""

from django.db import models

from flowcrm.store.models.scoped import Scoped, link


class Notice(Scoped):
    """See store/writes/notices.py for what `kind` may be."""

    member = link("Member")
    topic = models.TextField()
    kind = models.TextField()
    detail = models.TextField(default="")
    mailbox = link("Mailbox", null=True)
    by = link("Member", null=True)
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "notice"
