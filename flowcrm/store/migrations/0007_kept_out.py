"""Remove and keep out."""

from pathlib import Path

from django.db import migrations

SCHEMA = (Path(__file__).parent / "0007_kept_out.sql").read_text()


class Migration(migrations.Migration):
    dependencies = [("store", "0006_invites")]

    operations = [migrations.RunSQL(SCHEMA, reverse_sql=migrations.RunSQL.noop)]
