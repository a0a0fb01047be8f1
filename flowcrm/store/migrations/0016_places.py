"""Where mails lie at providers that name them by their places."""

from pathlib import Path

from django.db import migrations

SCHEMA = (Path(__file__).parent / "0016_places.sql").read_text()


class Migration(migrations.Migration):
    dependencies = [("store", "0015_suggestions")]

    operations = [migrations.RunSQL(SCHEMA, reverse_sql=migrations.RunSQL.noop)]
