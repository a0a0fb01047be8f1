"""Mails that FlowCRM sends by itself."""

from pathlib import Path

from django.db import migrations

SCHEMA = (Path(__file__).parent / "0014_outgoing.sql").read_text()


class Migration(migrations.Migration):
    dependencies = [("store", "0013_search")]

    operations = [migrations.RunSQL(SCHEMA, reverse_sql=migrations.RunSQL.noop)]
