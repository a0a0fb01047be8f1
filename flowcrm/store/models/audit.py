"""Who did or saw what, ids only. Written once: the application role can neither change nor delete a row."""

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

    class Meta:
        managed = False
        db_table = "audit"
