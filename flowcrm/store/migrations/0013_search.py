"""Search by several words."""

from pathlib import Path

from django.db import migrations

SCHEMA = (Path(__file__).parent / "0013_search.sql").read_text()


class Migration(migrations.Migration):
    dependencies = [("store", "0012_uploads")]

    operations = [migrations.RunSQL(SCHEMA, reverse_sql=migrations.RunSQL.noop)]
