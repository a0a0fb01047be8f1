"""What all tables of one workspace have in common."""

from django.db import models


class Scoped(models.Model):
    """A row of one workspace. The real key is (workspace_id, id); the ORM, which wants one column, sees `id`."""

    id = models.BigIntegerField(primary_key=True)
    workspace_id = models.BigIntegerField()

    class Meta:
        abstract = True


def link(to: str, name: str | None = None, *, null: bool = False) -> "models.ForeignKey[models.Model, models.Model]":
    """A reference inside the workspace. The composite foreign key is in the SQL, so the ORM makes none."""
    return models.ForeignKey(
        f"store.{to}", on_delete=models.DO_NOTHING, db_constraint=False, null=null, related_name=name or "+", db_index=False
    )
