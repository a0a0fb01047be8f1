"""Which texts of one Message-ID are the same mail with something added around it, and which are not."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from flowcrm.ingest.core import MOST_TEXT, core, core_lines, normalised
from flowcrm.ingest.near import LEAST, MOST_ABOVE, MOST_ADDED, MOST_BELOW, near, outline, places
from flowcrm.mail import marks, mime
from tests.unit.mail.corpus import mails

TEXT = """Hello Ben,

thank you for the visit last week. We have gone through the drawings of the hull once more and would like to change two of
the frames near the stern, since the new engine is longer than the one that the yard had in mind in spring.

The drawings with our marks are here: https://files.nordlicht.example/hull/17
Could you tell us until Friday whether the steel for it is still in stock, or what it would cost to have it cut elsewhere?
The crane is booked for the second week of the month, and we should not lose that slot.

We would also like to know who looks after the paint this time. Last year the second coat was put on too early, and the
surveyor was not amused. If Carla has the time, she might come by on Thursday and have a look at the plates herself.

Kind regards
Anna
"""
LINK = "https://files.nordlicht.example/hull/17"

BANNERS = [
    "Heads up! Somebody who does not work here wrote this. Think twice before you open what is attached.\n\n",
    "Hinweis der IT: Absender gehört nicht zum Haus.\nAnhänge bitte erst nach Rückfrage öffnen.\n\n",
    "Message reçu de l'Internet - vérifiez l'expéditeur avant de suivre un lien.\n\n",
    "Mensaje recibido desde Internet. Compruebe quién lo envía antes de pulsar en un enlace.\n\n",
    "Messaggio proveniente da Internet: verificare il mittente prima di aprire gli allegati.\n\n",
    "Dit bericht komt van internet. Controleer de afzender voordat u iets opent.\n\n",
    "Wiadomość spoza firmy. Sprawdź nadawcę, zanim otworzysz załącznik.\n\n",
    "このメールは社外から届きました。添付ファイルを開く前に送信者を確認してください。\n\n",
    "هذه الرسالة واردة من الإنترنت، تحقق من المرسل قبل فتح المرفقات.\n\n",
    "+------------------------------+\n| Origin: Internet, unverified |\n+------------------------------+\n",
    "CAUTION: This email originated from outside of the organization. Do not click links.\n\nTrust level: low (3 of 10)\n\n",
]
FOOTERS = [
    "\nharbour-list: archives and settings at https://lists.harbour.example/harbour\n",
    "\n...........................................\nHarbour list\nharbour@lists.example\nLeave: harbour-leave@lists.example\n",
    "\nLooked through by WatchDog Mail Guard. Nothing was found.\nhttps://watchdog.example\n",
    "\nDiese Nachricht wurde von HafenSchutz geprüft: keine Schadprogramme gefunden.\n",
    "\nWhoever gets this by mistake is asked to tell us and to delete it.\nNordlicht Werft GmbH, Kiel, HRB 4711, A. Berg\n",
    "\nNordlicht Werft GmbH | Am Kai 3 | Kiel\nUnsere Datenschutzhinweise: https://nordlicht.example/ds\n",
    "\nThis email and any attachments are confidential and intended only for the addressee.\nDo not pass them on.\n",
]
SAFE = "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Ffiles.nordlicht.example%2Fhull%2F17&data=05%7C02&reserved=0"
DEFENSE = f"https://urldefense.com/v3/__{LINK}__;!!Ab12!cdEF$"
DEFENSE_2 = "https://urldefense.proofpoint.com/v2/url?u=https-3A__files.nordlicht.example_hull_17&d=DwMFaQ&c=x&r=y"


def are_near(one: str, other: str) -> bool:
    """Both ways round, so that every case here also says that the order does not matter."""
    left, right = outline(one), outline(other)
    assert left is not None
    assert right is not None
    assert near(left, right) is near(right, left)
    return near(left, right)


@pytest.mark.parametrize("banner", BANNERS)
def test_a_banner_in_front_makes_no_other_mail(banner: str) -> None:
    assert are_near(TEXT, banner + TEXT)


@pytest.mark.parametrize("footer", FOOTERS)
def test_a_footer_below_makes_no_other_mail(footer: str) -> None:
    assert are_near(TEXT, TEXT + footer)


def test_a_banner_and_a_footer_at_once_make_no_other_mail() -> None:
    assert are_near(TEXT, BANNERS[1] + TEXT + FOOTERS[0])


@pytest.mark.parametrize("rewritten", [SAFE, DEFENSE, DEFENSE_2])
def test_a_gateway_that_also_rewrites_links_makes_no_other_mail(rewritten: str) -> None:
    assert are_near(TEXT, BANNERS[0] + TEXT.replace(LINK, rewritten))
    assert are_near(TEXT.replace(LINK, rewritten) + FOOTERS[0], TEXT)


def test_lines_broken_anew_make_no_other_mail() -> None:
    words = (BANNERS[0] + "\n\n" + TEXT).split("\n\n")
    wrapped = "\r\n\r\n".join(_wrapped(paragraph, 48) for paragraph in words)
    assert are_near(TEXT, wrapped)
    assert are_near(" ".join(TEXT.split()), TEXT + FOOTERS[0])


def test_a_signature_put_between_a_reply_and_its_quote_makes_no_other_mail() -> None:
    quote = "\nOn Mon, 2 Nov 2026 at 07:00 Ben <ben@acme.example> wrote:\n> When will it be ready?\n"
    assert are_near(TEXT + quote, TEXT + FOOTERS[5] + quote)


@pytest.mark.parametrize(
    "other",
    [
        "The frames are fine as they are. Please go on.\n" * 12,
        # In between, whole lines or words: there a forger writes.
        TEXT.replace("The crane", "Please pay to account DE00 4711 from now on.\nThe crane"),
        TEXT.replace("The crane", "https://files.evil.example/hull/17\nThe crane"),
        TEXT.replace("until Friday", "until Friday noon"),
        TEXT.replace("files.nordlicht.example", "files.evil.example"),
        TEXT.replace("17", "18"),
        TEXT.replace("second week", "third week"),
        # What is added is no line of its own: it goes on with what the writer said.
        "No: " + TEXT,
        TEXT.rstrip() + " Berg",
        # Too much of it.
        "Pay at once to the new account, or the yard will not begin. " * 12 + "\n" + TEXT,
        TEXT + "\nAnd there is one more thing that we have not spoken of.\n" * 10,
        # A reply that quotes it, as programs do.
        "[EXTERNAL] Thank you, I shall ask.\n\n" + "".join(f"> {line}\n" for line in TEXT.splitlines()),
        "Thank you, I shall ask.\n\n-----Original Message-----\nFrom: Anna\nSent: Monday\nTo: Ben\nSubject: Hull\n\n" + TEXT,
        "",
        "[EXTERNAL]",
    ],
)
def test_another_text_stays_another_mail(other: str) -> None:
    assert not are_near(TEXT, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Order 1001 has been shipped", "Order 1002 has been shipped"),
        ("Backup of server north: 3 errors", "Backup of server south: 3 errors"),
        ("Balance: 1000", "Balance: 10000"),
        ("1 new comment", "11 new comments"),
    ],
)
def test_notifications_that_differ_in_a_number_stay_two(one: str, other: str) -> None:
    around = "You get this message since you have asked for it in the settings of your account at the harbour office.\n"
    assert not are_near(f"{around}{one}\n{around}", f"{around}{other}\n{around}")
    assert not are_near(f"{around}{around}{one}", f"{around}{around}{other}")
    assert not are_near(f"{one}\n{around}{around}", f"{other}\n{around}{around}")
    assert not are_near(one, other)


def test_a_text_of_a_few_words_is_compared_with_nothing_but_itself() -> None:
    assert not are_near("Yes, gladly.", "Yes, gladly.\nNo.")
    assert are_near("Yes, gladly.", "Yes, gladly.")


def test_a_text_beyond_the_cap_is_not_compared() -> None:
    assert outline("x" * (MOST_TEXT + 1)) is None
    assert outline("x" * MOST_TEXT) is not None


@pytest.mark.parametrize(
    ("above", "below", "joins"),
    [(MOST_ABOVE, 0, True), (MOST_ABOVE + 1, 0, False), (0, MOST_BELOW, True), (0, MOST_BELOW + 1, False)],
)
def test_what_is_added_is_bounded_however_long_the_text(above: int, below: int, joins: bool) -> None:
    text = tuple(f"This is sentence number {number}." for number in range(400))
    assert near(text, ("a" * above, *text, "b" * below)) is joins


def test_what_is_added_is_bounded_by_the_length_of_the_text() -> None:
    text = ("t" * LEAST,)
    assert near(text, (*text, "b" * (LEAST // 2)))
    assert not near(text, (*text, "b" * (LEAST // 2 + 1)))
    assert not near(("t" * (LEAST - 1),), ("t" * (LEAST - 1), "b"))


def test_no_forger_leads_from_one_mail_to_another_over_a_text_that_holds_both() -> None:
    other = TEXT.replace("frames", "masts").replace("Anna", "Berta")
    both = TEXT + other
    assert not are_near(TEXT, both)
    assert not are_near(other, both)


@pytest.mark.parametrize("lines", [("a",) * 100_000, ("a" * 50,) * 4_000, ("",) * 50_000 + ("a",) * 50_000])
def test_hostile_texts_cost_a_few_comparisons(lines: tuple[str, ...]) -> None:
    whole = "".join(lines)
    for length in (len(whole) - 1, len(whole) - 500, len(whole) // 2):
        assert len(list(places(lines, length))) <= 31


def _real(folder: str, message_id: str) -> list[str]:
    """The texts of all mails in the corpus with this id."""
    return [mime.parse(raw).text for _, raw in mails(folder) if f"<{message_id}>".encode() in raw.partition(b"\n\n")[0]]


@pytest.mark.needs_shared
def test_real_copies_of_a_list_s_mail_are_one() -> None:
    texts = _real("mime/notmuch-corpora", "87r2ecrr6x.fsf@zephyr.silentflame.com")
    assert len({outline(text) for text in texts}) == 2
    assert all(are_near(one, other) for one in texts for other in texts)


@pytest.mark.needs_shared
@pytest.mark.parametrize(
    ("folder", "message_id"),
    [
        ("mime/notmuch-corpora", "87r2geywh9.fsf@tethera.net"),
        ("mime/rspamd", "CA+1S=h4aGimA6vSBJF=t1F+5z-Mua5+Cimf+NU_NDWJk8ZNOcw@mail.gmail.com"),
    ],
)
def test_real_mails_that_share_an_id_and_differ_inside_stay_apart(folder: str, message_id: str) -> None:
    texts = {outline(text): text for text in _real(folder, message_id)}
    assert len(texts) >= 2
    assert not any(are_near(one, other) for one in texts.values() for other in texts.values() if one != other)


@given(st.text(), st.text())
def test_any_two_texts_are_compared_the_same_both_ways_and_each_is_near_itself(one: str, other: str) -> None:
    assert are_near(one, one)
    are_near(one, other)
    are_near(one, one + "\n" + other)


_WORDS = st.lists(st.text("abcdefghij", min_size=3, max_size=9), min_size=1, max_size=8).map(" ".join)


@given(st.lists(_WORDS, max_size=3), st.lists(_WORDS, max_size=4), st.integers(20, 99))
def test_lines_above_and_below_join_and_the_same_lines_in_between_do_not(
    above: list[str], below: list[str], width: int
) -> None:
    assume(len(normalised("".join([*above, *below]))) <= MOST_ADDED * len(normalised(TEXT)))
    added = "\n".join([*above, TEXT, *below])
    assert are_near(TEXT, added)
    assert are_near(_wrapped(TEXT, width), added)
    if above or below:
        first, second = TEXT.split("The crane")
        assert not are_near(TEXT, "\n".join([first, *above, *below, "The crane" + second]))


@given(st.text())
def test_the_lines_of_a_core_are_the_core(text: str) -> None:
    own = marks.own_lines(text)
    assert normalised("".join(core_lines(own, text))) == core(own, text)


def test_the_lines_of_a_core_leave_out_what_the_core_leaves_out() -> None:
    text = f"[EXTERNAL] {TEXT}\n-- \nAnna Berg\n"
    assert "".join(core_lines(marks.own_lines(text), text)) == core(marks.own_lines(text), text) == core(TEXT.split("\n"), TEXT)


def _wrapped(text: str, width: int) -> str:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return "\n".join(lines)
