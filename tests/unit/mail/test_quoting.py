"""A mail split for showing: own, quoted, signature."""

from hypothesis import given
from hypothesis import strategies as st

from flowcrm.mail.quoting import Split, split

QUOTE = "On 2026-11-02 Ben <ben@x.example> wrote:\n> old"


def test_a_reply_above_its_quote_is_split() -> None:
    assert split(f"Thanks.\n\n-- \nAnna\n\n{QUOTE}\n") == Split("Thanks.", QUOTE, "-- \nAnna")


def test_a_mail_without_quote_is_all_own() -> None:
    assert split("Hello\n\nBen") == Split("Hello\n\nBen", "", "")


def test_a_mail_that_only_quotes_is_all_own() -> None:
    assert split(QUOTE) == Split(QUOTE, "", "")


def test_a_forward_is_not_folded() -> None:
    text = "FYI\n\n---------- Forwarded message ---------\nFrom: Ben <ben@x.example>\nDate: Monday\nTo: Anna\n\nthe offer"
    assert split(text) == Split(text, "", "")


def test_answers_in_between_are_shown_with_what_they_answer() -> None:
    text = "On 2026-11-02 Ben wrote:\n> one?\nyes\n> two?\nno"
    assert split(text).own == text


def test_the_marks_of_html_come_first() -> None:
    html = '<div>Thanks.</div><div class="gmail_quote"><div>Ben, some day:</div><blockquote>old</blockquote></div>'
    assert split("Thanks. Ben, some day: old", html) == Split("Thanks.", "> Ben, some day:\n> > old", "")


def test_html_without_marks_leaves_it_to_the_text() -> None:
    assert split(f"Thanks.\n\n{QUOTE}", "<p>Thanks.</p>").own == "Thanks."


_PIECES = st.lists(
    st.sampled_from(["own\n", "> q\n", "\n", f"{QUOTE}\n", "-- \nAnna\n", "From: a@b\nSent: x\nTo: y\n", "\x0c", " "])
)


@given(_PIECES.map("".join))
def test_splitting_loses_nothing(text: str) -> None:
    found = split(text)
    assert "".join((found.own + found.signature + found.quoted).split()) == "".join(text.split())
