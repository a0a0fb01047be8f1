"""Files of contacts between their upload and the import."""

from pathlib import Path

from django.db import migrations

SCHEMA = (Path(__file__).parent / "0012_uploads.sql").read_text()


class Migration(migrations.Migration):
    dependencies = [("store", "0011_undo")]

    operations = [migrations.RunSQL(SCHEMA, reverse_sql=migrations.RunSQL.noop)]
