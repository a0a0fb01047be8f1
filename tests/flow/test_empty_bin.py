"""The bin is emptied a few copies at a time; a worker that is killed meanwhile leaves each copy whole or gone."""

import psycopg
import pytest

from flowcrm.jobs.upkeep import empty_bins
from flowcrm.store.db import row, rows, run
from flowcrm.store.writes.bin import BinReason, do_bin
from tests.flow.killing import kill_while_it_waits
from tests.mail_helper import connect, keep, raw
from tests.people import Someone, member

__all__ = ["member"]
pytestmark = pytest.mark.needs_postgres

# Of one transaction.
STEP = 200
EMPTY = "from flowcrm.jobs.upkeep import empty_bins\nempty_bins()"


def test_killed_in_the_middle_it_goes_on_with_what_is_left(member: Someone, database: dict[str, str]) -> None:
    box = connect(member)
    stays = keep(member.workspace_id, box, raw("stays"))[0]
    messages = keep(member.workspace_id, box, *(raw(f"goes {number}") for number in range(STEP + 20)))
    with member.scope():
        old = [one for (one,) in rows("SELECT id FROM copy WHERE message_id = ANY(%s::bigint[]) ORDER BY id", [messages])]
        do_bin(workspace_id=member.workspace_id, mailbox_id=box, copy_ids=old, reason=BinReason.HAND)
        # The higher its id, the later it came there: the last copy goes in the second transaction.
        run(
            "UPDATE copy SET binned_at = now() - (%s - id + 2700000) * interval '1 second' WHERE id = ANY(%s::bigint[])",
            [old[-1], old],
        )

    with psycopg.connect(database["owner"]) as holding:
        holding.execute("SELECT 1 FROM copy WHERE workspace_id = %s AND id = %s FOR KEY SHARE", [member.workspace_id, old[-1]])
        kill_while_it_waits(database, EMPTY)
    assert _left(member) == 20, "the first transaction holds, of the second nothing happened"

    assert empty_bins() == 20
    assert _left(member) == 0
    with member.scope():
        for table in ("message", "variant", "copy", "search_row"):
            assert row(f"SELECT count(*) FROM {table}") == (1,), table
        assert row("SELECT message_id, (SELECT stored FROM usage_total) FROM copy") == (stays, 1)


def _left(one: Someone) -> int:
    with one.scope():
        found = row("SELECT count(*), count(DISTINCT message_id) FROM copy WHERE binned_at IS NOT NULL")
        whole = row(
            "SELECT count(*) FROM copy c JOIN message m ON m.id = c.message_id JOIN search_row s ON s.message_id = m.id"
        )
    assert found is not None
    assert found[0] == found[1]
    assert whole == (found[0] + 1,)
    return int(found[0])
