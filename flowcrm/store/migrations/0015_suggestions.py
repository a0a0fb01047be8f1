"""People who are not suggested as contacts, and where merged contacts went."""

from pathlib import Path

from django.db import migrations

SCHEMA = (Path(__file__).parent / "0015_suggestions.sql").read_text()


class Migration(migrations.Migration):
    dependencies = [("store", "0014_outgoing")]

    operations = [migrations.RunSQL(SCHEMA, reverse_sql=migrations.RunSQL.noop)]
