"""A letter as bytes: what a mail program and an answering machine see in it."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from flowcrm.mail import mime
from flowcrm.post.letter import Letter, mail_bytes
from flowcrm.post.server import Server, read_server


def server() -> Server:
    found = read_server("smtp://mail.acme.example", "crm@acme.example")
    assert found is not None
    return found


def parsed(letter: Letter, to: str = "ann@globex.example") -> EmailMessage:
    raw = mail_bytes(letter, server(), to)
    assert raw.isascii()
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert raw.count(b"\n") == raw.count(b"\r\n")
    mail = message_from_bytes(raw, policy=default)
    assert isinstance(mail, EmailMessage)
    assert mail.defects == []
    return mail


LETTER = Letter(
    "Grüße aus Zürich", ("Eins <b>", "Zwei"), ("Öffnen", "https://crm.acme.example/x?a=1&b=2"), ("Weil.",), "notices"
)


def test_both_forms_say_the_same_and_markup_in_words_stays_words() -> None:
    mail = parsed(LETTER)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    for part in ("Zwei", "Öffnen", "Weil."):
        assert part in text.get_content()
        assert part in html.get_content()
    assert "Eins <b>" in text.get_content()
    assert "https://crm.acme.example/x?a=1&b=2" in text.get_content()
    assert "Eins &lt;b&gt;" in html.get_content()
    assert 'href="https://crm.acme.example/x?a=1&amp;b=2"' in html.get_content()


def test_no_machine_answers_it_and_it_can_be_filtered() -> None:
    mail = parsed(LETTER)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Id"] == "FlowCRM <notices.acme.example>"
    assert mail["Message-ID"].endswith("@acme.example>")
    assert mail["From"] == "FlowCRM <crm@acme.example>"
    assert mail["Subject"] == "Grüße aus Zürich"
    assert mail["List-Unsubscribe"] is None


def test_a_mailbox_that_we_sync_knows_it_for_a_program_s() -> None:
    assert mime.parse(mail_bytes(LETTER, server(), "ann@globex.example")).flags == {"auto_reply", "list"}


@pytest.mark.parametrize(("stop", "one_click"), [("https://crm.acme.example/off", True), ("http://127.0.0.1/off", False)])
def test_one_press_ends_them_where_the_way_is_closed(stop: str, one_click: bool) -> None:
    mail = parsed(Letter("x", ("y",), stop=stop))
    assert mail["List-Unsubscribe"] == f"<{stop}>"
    assert (mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click") is one_click


def test_no_header_can_be_smuggled_in_by_a_subject_or_an_address() -> None:
    mail = parsed(Letter("Hello\r\nBcc: all@globex.example", ("x",)))
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Hello Bcc: all@globex.example"
    with pytest.raises(ValueError, match="no "):
        mail_bytes(LETTER, server(), "a@b.example\r\nBcc: all@globex.example")


def test_no_header_begins_with_an_empty_line() -> None:
    long = "FlowCRM: not-allowed@states.example of Stella Marsh: An admin must act"
    raw = mail_bytes(Letter(long, ("x",), stop="https://crm.acme.example/" + "x" * 90), server(), "ann@globex.example")
    assert b":\r\n" not in raw.split(b"\r\n\r\n")[0]


def test_a_long_subject_is_cut_and_an_international_domain_is_ascii() -> None:
    mail = parsed(Letter("ä" * 500, ("x",)), "ann@bücher.example")
    assert mail["Subject"] == "ä" * 120
    assert mail["To"] == "ann@xn--bcher-kva.example"
