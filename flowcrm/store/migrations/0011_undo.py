"""Changes of settings that can be undone."""

from pathlib import Path

from django.db import migrations

SCHEMA = (Path(__file__).parent / "0011_undo.sql").read_text()


class Migration(migrations.Migration):
    dependencies = [("store", "0010_notices")]

    operations = [migrations.RunSQL(SCHEMA, reverse_sql=migrations.RunSQL.noop)]
