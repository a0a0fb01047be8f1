"""Who did or saw what, ids only. Written once: the application role can neither change nor delete a row.
batch: set when the record is closed into the chain (store/writes/audit_chain.py)."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from flowcrm.store.models.scoped import Scoped


class Audit(Scoped):
    at = models.DateTimeField()
    actor_id = models.BigIntegerField(null=True)
    verb = models.TextField()
    surface = models.TextField()
    ip = models.GenericIPAddressField(null=True)
    object_ids = ArrayField(models.BigIntegerField())
    batch = models.BigIntegerField(null=True)

    class Meta:
        managed = False
        db_table = "audit"
