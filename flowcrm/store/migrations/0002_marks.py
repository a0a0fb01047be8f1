"""Labels count for the thread: which mails bear one, and which threads are to be looked at as a whole."""

from pathlib import Path

from django.db import migrations

SCHEMA = (Path(__file__).parent / "0002_marks.sql").read_text()


class Migration(migrations.Migration):
    dependencies = [("store", "0001_initial")]

    operations = [migrations.RunSQL(SCHEMA, reverse_sql=migrations.RunSQL.noop)]
