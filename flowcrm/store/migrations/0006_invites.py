"""Invitations by link."""

from pathlib import Path

from django.db import migrations

SCHEMA = (Path(__file__).parent / "0006_invites.sql").read_text()


class Migration(migrations.Migration):
    dependencies = [("store", "0005_bin")]

    operations = [migrations.RunSQL(SCHEMA, reverse_sql=migrations.RunSQL.noop)]
