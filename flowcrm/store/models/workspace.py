"""The account, its members, its names and its limits."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from flowcrm.store.models.person import Person
from flowcrm.store.models.scoped import Scoped


class Workspace(models.Model):
    id = models.BigIntegerField(primary_key=True)
    title = models.TextField()
    plan = models.TextField()
    time_zone = models.TextField()
    generation = models.SmallIntegerField(default=1)
    default_level = models.TextField(default="people_and_times")
    created_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "workspace"

    def __str__(self) -> str:
        return self.title


class AccountName(models.Model):
    """The name in save@NAME.DOMAIN. A renamed account keeps its old names, not `current` any more."""

    slug = models.TextField(primary_key=True)
    workspace_id = models.BigIntegerField()
    current = models.BooleanField(default=True)

    class Meta:
        managed = False
        db_table = "account_name"


class InstanceSetting(models.Model):
    """A setting of the whole installation, sealed with the instance's key."""

    key = models.TextField(primary_key=True)
    seal_id = models.BigIntegerField()
    s_value = models.BinaryField()
    updated_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "instance_setting"


class Member(Scoped):
    """A person in one workspace. deactivated_at: he gets in no more."""

    person = models.ForeignKey(Person, on_delete=models.DO_NOTHING, db_constraint=False, related_name="members")
    role = models.TextField()
    name = models.TextField()
    time_zone = models.TextField()
    created_at = models.DateTimeField()
    deactivated_at = models.DateTimeField(null=True)
    mail_me = ArrayField(models.TextField(), default=list)

    class Meta:
        managed = False
        db_table = "member"

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"


class UsageDay(models.Model):
    """Messages newly stored on one local day of the workspace. The composite key is (workspace_id, local_date)."""

    workspace_id = models.BigIntegerField()
    local_date = models.DateField(primary_key=True)
    used = models.BigIntegerField()
    import_used = models.BigIntegerField()

    class Meta:
        managed = False
        db_table = "usage_day"


class UsageTotal(models.Model):
    workspace_id = models.BigIntegerField(primary_key=True)
    stored = models.BigIntegerField()

    class Meta:
        managed = False
        db_table = "usage_total"
