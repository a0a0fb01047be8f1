"""`flowcrm mail-test`, the doctor's finding, and what allauth sends: all by the same way out."""

import pytest
from django.test import override_settings
from typer.testing import CliRunner

from flowcrm.ops import cli, doctor
from flowcrm.ops.doctor import Health
from flowcrm.ops.errors import MailServerWrong, Refused
from standins.smtp.server import SmtpStandin
from tests.post.standin import FROM


def run(*words: str) -> str:
    result = CliRunner().invoke(cli.application(["mail-test"]), ["mail-test", *words])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return str(result.output)


def test_a_test_arrives_and_the_operator_is_told_where_to_look(sends: SmtpStandin) -> None:
    said = run("ann@globex.example")
    assert "has taken an email from crm@acme.example to ann@globex.example" in said
    assert sends.taken[0].recipient == "ann@globex.example"
    assert b"FlowCRM can send emails" in sends.taken[0].data


def test_without_a_server_it_says_what_to_set() -> None:
    with override_settings(SMTP_URL=""), pytest.raises(Refused, match="Set SMTP_URL and FLOWCRM_MAIL_FROM"):
        run("ann@globex.example")


@pytest.mark.parametrize(
    ("step", "reply", "words"),
    [
        ("MAIL", "550 5.7.1 not yours", "Is FLOWCRM_MAIL_FROM an address of yours.*It says: 550 5.7.1 not yours"),
        ("RCPT", "550 5.1.1 nobody", "refused the recipient"),
        ("GREETING", "421 busy", "cannot take emails just now"),
        ("END", "", "it may have taken it, or not"),
    ],
)
def test_what_is_in_the_way_is_said_in_a_sentence(sends: SmtpStandin, step: str, reply: str, words: str) -> None:
    sends.fault(step, reply)
    with pytest.raises(Refused, match=words):
        run("ann@globex.example")


def test_flowcrm_does_not_start_with_a_server_that_is_none() -> None:
    with (
        override_settings(SMTP_URL="smtp+plain://mail.acme.example"),
        pytest.raises(MailServerWrong, match="this machine only"),
    ):
        cli._check_mail_server()


def test_the_doctor_looks_at_the_mail_server(sends: SmtpStandin) -> None:
    [(health, text, _)] = doctor.TESTS["outgoing mail"]()
    assert health is Health.GOOD
    assert f"emails come from {FROM}" in text
    sends.fault("GREETING", "554 no")
    [(health, text, remedy)] = doctor.TESTS["outgoing mail"]()
    assert health is Health.DOUBTFUL
    assert remedy
    with override_settings(SMTP_URL="nonsense"):
        [(health, _, remedy)] = doctor.TESTS["outgoing mail"]()
    assert health is Health.BAD
    assert "SMTP_URL" in remedy
