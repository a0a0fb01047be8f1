"""Who counts as a person whom somebody has written to."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.mail.addresses import normalise
from flowcrm.rules.desks import BY_LANGUAGE, DESKS, DESKS_ALONE
from flowcrm.rules.persons import MOST_PEOPLE, NoPerson, Reached, name_from_address, reached, why_no_person

OURS = frozenset({"mara@acme.example", "ben@acme.example"})


def why(email: str) -> NoPerson | None:
    return why_no_person(normalise(email), OURS.__contains__)


@pytest.mark.parametrize(
    "email",
    [
        *("anna@nordlicht.example", "anna.berg@nordlicht.example", "a.berg@nordlicht.example", "aberg17@gmail.com"),
        *("anna+crm@nordlicht.example", "o'brien@kilkenny.example", "müller@nordlicht.example", "ola.nordmann@fjord.example"),
        *("john.law@firm.example", "jan.klant@dutch.example", "hannah.salesman@x.example", "notingham@x.example"),
        *("webber@x.example", "infante@x.example", "supportini@x.example", "list.anna@x.example", "anna@mail.x.example"),
    ],
)
def test_these_are_people(email: str) -> None:
    assert why(email) is None


@pytest.mark.parametrize(
    ("expected", "emails"),
    [
        (NoPerson.BROKEN, ("", "anna", "anna@", "@x.example", "anna@localhost")),
        (NoPerson.OURS, ("mara@acme.example", "MARA@Acme.example")),
        (
            NoPerson.AUTOMATIC,
            (
                *(
                    "noreply@x.example",
                    "no-reply@x.example",
                    "No.Reply@x.example",
                    "do_not_reply@x.example",
                    "donotreply-17@x.example",
                ),
                *(
                    "noreply+ticket.17@x.example",
                    "nichtantworten@x.example",
                    "ne-pas-repondre@x.example",
                    "ne-pas-répondre@x.example",
                ),
                *(
                    "no-responder@x.example",
                    "mailer-daemon@x.example",
                    "MAILER-DAEMON@x.example",
                    "bounces+17-a=b.example@x.example",
                ),
                *(
                    "bounce-17@x.example",
                    "SRS0=abc=de=x.example=anna@y.example",
                    "notifications@x.example",
                    "unsubscribe@x.example",
                ),
            ),
        ),
        (
            NoPerson.LIST,
            (
                *(
                    "python-list-request@x.example",
                    "team-bounces@x.example",
                    "owner-team@x.example",
                    "anything@lists.x.example",
                ),
                *("crew@googlegroups.com", "crew@groups.io", "news-unsubscribe@x.example"),
            ),
        ),
        (
            NoPerson.ROLE,
            (
                *("info@x.example", "Info@x.example", "sales@x.example", "support@x.example", "sales-emea@x.example"),
                *("it-support@x.example", "support2@x.example", "info+spring@x.example", "customer.service@x.example"),
                *(
                    "kundenservice@x.example",
                    "vertrieb@x.example",
                    "büro@x.example",
                    "buero@x.example",
                    "buchhaltung@x.example",
                ),
                *(
                    "comptabilité@x.example",
                    "accueil@x.example",
                    "ventas@x.example",
                    "atención@x.example",
                    "contabilità@x.example",
                ),
                *(
                    "klantenservice@x.example",
                    "biuro@x.example",
                    "faktura@x.example",
                    "kundeservice@x.example",
                    "ola@x.example",
                ),
                *(
                    "postmaster@x.example",
                    "abuse@x.example",
                    "hr@x.example",
                    "it@x.example",
                    "team@x.example",
                    "newsletter@x.example",
                ),
            ),
        ),
    ],
)
def test_these_are_not(expected: NoPerson, emails: tuple[str, ...]) -> None:
    assert {email: why(email) for email in emails} == dict.fromkeys(emails, expected)


def test_the_words_for_desks_are_written_as_they_are_compared() -> None:
    for language, words in BY_LANGUAGE.items():
        listed = words.split()
        assert listed == sorted(set(listed)), language
        assert set("".join(listed)) <= set(string.ascii_lowercase), language
    assert DESKS_ALONE <= DESKS


TO_TWO = [("From", "mara@acme.example"), ("To", '"Berg, Anna" <anna@nordlicht.example>'), ("Cc", "tom@nordlicht.example")]


def test_everybody_whom_a_mail_went_to_is_reached_once_with_the_name_it_gives() -> None:
    fields = [*TO_TWO, ("Bcc", "Anna B <ANNA@nordlicht.example>, Ben <ben@acme.example>, info@nordlicht.example")]
    assert set(reached(fields, OURS.__contains__)) == {
        Reached("anna@nordlicht.example", "Berg, Anna"),
        Reached("tom@nordlicht.example", ""),
    }


@pytest.mark.parametrize(
    "field",
    [
        *(
            ("List-Id", "<crew.x.example>"),
            ("list-unsubscribe", "<https://x.example>"),
            ("Precedence", "bulk"),
            ("Precedence", "List "),
        ),
        *(("Auto-Submitted", "auto-replied"), ("X-Autoreply", "yes")),
    ],
)
def test_a_mail_that_a_list_or_a_program_sent_reaches_nobody(field: tuple[str, str]) -> None:
    assert reached([*TO_TWO, field], OURS.__contains__) == ()


@pytest.mark.parametrize("field", [("Auto-Submitted", "no"), ("Precedence", "normal"), ("Subject", "List-Id: x")])
def test_a_mail_that_only_looks_so_counts(field: tuple[str, str]) -> None:
    assert len(reached([*TO_TWO, field], OURS.__contains__)) == 2


def test_a_circular_reaches_nobody() -> None:
    def to(people: int) -> list[tuple[str, str]]:
        return [("To", ", ".join(f"anna{n}@nordlicht.example" for n in range(people)))]

    assert len(reached(to(MOST_PEOPLE), OURS.__contains__)) == MOST_PEOPLE
    assert reached(to(MOST_PEOPLE + 1), OURS.__contains__) == ()


@pytest.mark.parametrize(
    ("email", "name"),
    [
        ("anna.berg@x.example", "Anna Berg"),
        ("anna_maria.berg@x.example", "Anna Maria Berg"),
        ("anna@x.example", "anna@x.example"),
        ("a.berg@x.example", "a.berg@x.example"),
        ("anna.17@x.example", "anna.17@x.example"),
    ],
)
def test_a_name_is_made_of_an_address_only_where_it_looks_like_one(email: str, name: str) -> None:
    assert name_from_address(email) == name


@given(st.sampled_from(sorted(DESKS - DESKS_ALONE)), st.sampled_from(["", "+x", "-17", "2"]))
def test_a_desk_is_one_however_it_is_written(desk: str, more: str) -> None:
    assert why(f"{desk}{more}@x.example") is not None
    assert why(f"{desk.upper()}{more}@X.example") is not None


@given(st.text(), st.text())
def test_any_text_has_an_answer_and_our_own_are_nobody_s(local: str, domain: str) -> None:
    email = normalise(f"{local}@{domain}")
    assert why_no_person(email, lambda _: True) in (NoPerson.OURS, NoPerson.BROKEN)
    why_no_person(email, lambda _: False)


@given(
    st.lists(st.tuples(st.sampled_from(["To", "Cc", "Bcc", "From", "Subject", "Precedence"]), st.text(max_size=80)), max_size=8)
)
def test_any_headers_have_an_answer_of_people_alone(fields: list[tuple[str, str]]) -> None:
    found = reached(fields, OURS.__contains__)
    assert len({one.email for one in found}) == len(found)
    assert all(why(one.email) is None and "@" not in one.name for one in found)


@given(st.permutations([("To", "anna@x.example"), ("Cc", "tom@x.example, eva@y.example"), ("Bcc", "anna@x.example")]))
def test_the_order_of_headers_does_not_matter(fields: list[tuple[str, str]]) -> None:
    assert {one.email for one in reached(fields, OURS.__contains__)} == {"anna@x.example", "tom@x.example", "eva@y.example"}
