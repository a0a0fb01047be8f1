"""What stays the same of a mail whichever way it came."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.ingest.core import core, folded_subject, normalised
from flowcrm.mail import marks

TEXT = "Hello Ben,\n\nplease find our offer: https://x.example/offer\n\nAnna\n"


def heart(text: str) -> str:
    return core(marks.own_lines(text), text)


@pytest.mark.parametrize(
    "changed",
    [
        TEXT.replace("\n", "\r\n").replace("\r", ""),
        "  Hello   Ben,\nplease find our\noffer: https://x.example/offer Anna",
        f"[EXTERNAL]\n\n{TEXT}",
        f"[External Sender] {TEXT}",
        f"EXTERNAL EMAIL: Do not click links.\n{TEXT}",
        "CAUTION: This email originated from outside of the organization. Do not click links or\nopen attachments unless you "
        f"recognize the sender and know the\ncontent is safe.\n\n{TEXT}",
        f"ACHTUNG: Diese E-Mail stammt von einem externen Absender. Bitte klicken Sie auf keine Links.\n{TEXT}",
        f"ATTENTION : Ce courriel provient de l'extérieur de l'entreprise. N'ouvrez pas de pièces jointes.\n\n{TEXT}",
        f"You don't often get email from anna@nord.example. Learn why this is important<https://aka.ms/x>\n{TEXT}",
        f"ZjQcmQRYFpfptBannerStart\nThis Message Is From an External Sender\nReport Suspicious\nZjQcmQRYFpfptBannerEnd\n{TEXT}",
        f"{TEXT}\n-- \nAnna Berg\nNord GmbH",
        f"{TEXT}\n_______________________________________________\na mailing list\nlist@x.example",
        f'{TEXT}\nYou received this message because you are subscribed to the Google Groups "x" group.\nTo unsubscribe …',
        f"{TEXT}\nThis email and any attachments are confidential and intended only for the addressee.",
        f"{TEXT}\n> old\n> text",
        f"{TEXT}\nOn Mon, 2 Nov 2026 at 07:00 Ben <ben@acme.example> wrote:\n> old",
        TEXT.replace(
            "https://x.example/offer", "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fx.example%2Foffer"
        ),
        TEXT.replace("https://x.example/offer", "https://urldefense.com/v3/__https://x.example/offer__;!!a$"),
        TEXT.replace("/offer\n", "/offer?utm_source=mail\n"),
        TEXT.replace("Hello", "\u200bHel\u00adlo"),
    ],
)
def test_what_others_put_around_it_does_not_change_the_core(changed: str) -> None:
    assert heart(changed) == heart(TEXT)


@pytest.mark.parametrize(
    "other",
    [
        TEXT.replace("offer:", "order:"),
        TEXT.replace("x.example", "evil.example"),
        TEXT + "PS: and call me.\n",
        "Attention, dear Ben. " + TEXT,
        "The external audit is done. " + TEXT,
    ],
)
def test_another_text_has_another_core(other: str) -> None:
    assert heart(other) != heart(TEXT)


def test_where_nothing_is_its_own_the_whole_counts() -> None:
    assert heart("> one") != heart("> two")
    assert heart("[EXTERNAL]") != heart("")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Re: Offer", "Offer"),
        ("AW: WG: Offer", "offer"),
        ("RE[2]: Offer", "Offer"),
        ("[EXTERNAL] [list] Re: Offer", "Offer"),
        ("***SPAM*** Offer", "Offer"),
    ],
)
def test_marks_in_front_of_a_subject_do_not_count(one: str, other: str) -> None:
    assert folded_subject(one) == folded_subject(other)


def test_subjects_that_differ_stay_different() -> None:
    assert folded_subject("Server A is down") != folded_subject("Server B is down")


@pytest.mark.parametrize(
    "text", ["caution " * 20_000, "[external] " * 20_000, "this email " * 20_000, "https://x " * 20_000, "re: " * 20_000]
)
def test_hostile_texts_are_read_before_the_time_out(text: str) -> None:
    heart(text)
    folded_subject(text)


@given(st.text())
def test_transport_changes_nothing_that_is_normalised(text: str) -> None:
    once = normalised(text)
    assert normalised(once) == once
    assert normalised(text.replace("\n", "\r\n")) == once
    assert normalised(f" {text}\n\n") == once
