"""What the article says of choosing little, asked of the preview."""

from datetime import timedelta

import pytest

from flowcrm.store.writes.mailbox import Selection
from standins.google.client import GoogleStandin
from tests.flow.acme import OLD, Team, letter
from tests.flow.preview import change, here, look_at_labels, preview

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock")]


def test_K55_selective_sync_lets_less_in_and_the_preview_tells_how_much(team: Team, standin: GoogleStandin) -> None:
    box = team.mailbox("")
    team.contact("carla@nordlicht.example")
    label = standin.create_label(box.address, "CRM")
    for n in range(20):
        box.deliver(letter(f"newsletter {n}", sender="news@globex.example"))
    for n in range(3):
        box.deliver(letter(f"hers {n}"), labels=["INBOX", label] if n == 0 else ["INBOX"])
    box.deliver(letter("long ago"), at=OLD - timedelta(days=400))
    look_at_labels(box)

    month = OLD - timedelta(days=30)
    choices = {
        24: Selection("all", None, 300, frozenset()),
        23: Selection("all", month, 300, frozenset()),
        3: Selection("contacts", month, 300, frozenset()),
        1: Selection("labels", month, 300, frozenset({label})),
    }
    assert [preview(box, chosen).coming for chosen in choices.values()] == list(choices)

    change(box, choices[24])
    assert len(here(box)) == 24
    assert preview(box, choices[3]).going == 21
    change(box, choices[3], bins=True)
    assert len(here(box)) == 3
