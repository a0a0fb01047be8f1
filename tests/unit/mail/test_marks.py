"""Own words, quotes, signatures and footers in plain text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.mail import marks


def own(text: str) -> str:
    return "\n".join(marks.own_lines(text)).strip()


@pytest.mark.parametrize(
    "below",
    [
        "On Mon, Nov 2, 2026 at 8:00 AM Ben <ben@x.example> wrote:\n> old",
        "On Mon, Nov 2, 2026 at 8:00 AM Ben Long Name\n<ben@x.example>\nwrote:\n\n> old",
        "Am 02.11.2026 um 08:00 schrieb Ben <ben@x.example>:\n> alt",
        "Le lun. 2 nov. 2026 à 08:00, Ben <ben@x.example> a écrit :\n> vieux",
        "Em seg., 2 de nov. de 2026 às 08:00, Ben <ben@x.example> escreveu:\n> velho",
        "El lun, 2 nov 2026 a las 8:00, Ben (<ben@x.example>) escribió:\n> viejo",
        "W dniu 2 listopada 2026 08:00 użytkownik Ben <ben@x.example> napisał:\n> stare",
        "2 ноября 2026 г. 08:00 Ben <ben@x.example> написал:\n> старое",
        "2026年11月2日(月) 8:00 Ben <ben@x.example>:\n> 古い",
        "Vào 14:24 8 tháng 6, 2026, Ben <ben@x.example> đã viết:\n> cũ",
        "On 2026-11-02, Ben <ben@x.example> wrote:\n\nold, without any mark",
        "-----Original Message-----\nFrom: Ben\nold",
        "-----Ursprüngliche Nachricht-----\nVon: Ben\nalt",
        "________________________________\nFrom: Ben <ben@x.example>\nSent: Monday\nTo: Anna\nSubject: Offer\n\nold",
        "Von: Ben <ben@x.example>\nGesendet: Montag\nAn: Anna\nBetreff: Angebot\n\nalt",
        "De: Ben <ben@x.example>\nEnviada em: segunda-feira\nPara: Anna\nAssunto: Oferta\n\nvelho",
        "*From:* Ben\n*Sent:* Monday\n*To:* Anna\n*Subject:* Offer\n\nold",
        "> old\n> older",
        "-- \nAnna Berg\nNord GmbH",
        "Sent from my iPhone",
        "_______________________________________________\na mailing list\nlist@x.example",
        'You received this message because you are subscribed to the Google Groups "x" group.',
        "---------- Forwarded message ---------\nFrom: Ben <ben@x.example>\n\nforwarded",
        "Begin forwarded message:\n\n> From: Ben",
    ],
)
def test_what_stands_below_is_not_own(below: str) -> None:
    assert own(f"Thank you, Ben.\n\nAnna\n\n{below}") == "Thank you, Ben.\n\nAnna"


def test_answers_between_quotes_are_own() -> None:
    text = "On Monday 2026-11-02 Ben wrote:\n> one?\n\nyes\n\n> two?\n\nno\n\n-- \nAnna"
    assert own(text).split() == ["yes", "no"]


def test_a_mail_that_only_speaks_of_from_and_to_is_own() -> None:
    text = "From: nine to five we work.\nThen we go home.\nTo sum up: all is well."
    assert own(text) == text


def test_dashes_in_a_text_end_nothing() -> None:
    text = "Shopping --\n- milk\n- bread -- the dark one\n\nthanks"
    assert own(text) == text


def test_a_rule_far_above_the_end_is_no_footer() -> None:
    text = "Chapter\n==========\n" + "\n".join(f"line {number}" for number in range(40))
    assert own(text) == text


def test_quotes_below_own_text_start_at_their_introduction() -> None:
    lines = ["own", "", "On 2026-11-02 Ben wrote:", "> old"]
    assert marks.quote_start(lines) == 2
    assert marks.quote_start(["own"]) == 1
    assert marks.quote_start([]) == 0


@pytest.mark.parametrize(
    "text",
    [
        "> x\n" * 50_000 + "a",
        "a\n> x\n" * 20_000,
        "On 1/1 a@b x:\n" * 20_000,
        "-" * 500_000,
        "From: a\n" * 50_000,
        "--\n" * 50_000,
    ],
)
def test_hostile_texts_are_read_in_bounded_time(text: str) -> None:
    marks.own_lines(text)


_LINES = st.sampled_from(
    ["> q", ">", "own", "", "-- ", "On 1/2 a@b wrote:", "From: a@b", "Sent: x", "To: y", "-----Original Message-----"]
)


@given(st.lists(_LINES))
def test_own_lines_are_lines_of_the_text_in_their_order(lines: list[str]) -> None:
    rest = iter("\n".join(lines).split("\n"))
    assert all(line in rest for line in marks.own_lines("\n".join(lines)))
    assert not any(marks.is_quoted(line) for line in marks.own_lines("\n".join(lines)))
