"""The controls over HTTP, the command line, and the pages in a real browser."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from flowcrm.lib import clock
from standins.google.client import READONLY, Delivery, GoogleStandin, RemoteStandin, Standin
from standins.google.control import Controls
from tests.contract.google_standin import ANN, AT, BACK, BEN, LABELS, Http, Reply, came_back, mail, running, signed_in

_ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def google() -> Iterator[GoogleStandin]:
    with running() as standin:
        yield standin


@pytest.fixture(params=["in-process", "remote"])
def standin(request: pytest.FixtureRequest, google: GoogleStandin) -> Standin:
    """The same stand-in, held directly and over HTTP."""
    return google if request.param == "in-process" else RemoteStandin(google.url)


def test_both_ways_of_holding_it_do_the_same(standin: Standin) -> None:
    standin.create_account(BEN, "Ben Berg", ["b@globex.test"])
    label = standin.create_label(BEN, "Customers")
    first, second = standin.deliver_many(BEN, [Delivery(mail(number=1), at_ms=AT), Delivery(mail(number=2), [label], AT + 1)])
    third = standin.deliver(BEN, mail(number=3), ["SPAM"], AT + 2, thread=first)
    standin.label(BEN, [first], add=["STARRED"], remove=["UNREAD"])
    standin.delete(BEN, [second])

    snapshot = standin.snapshot(BEN)

    assert [(found["id"], found["threadId"], found["labels"]) for found in snapshot["mails"]] == [
        (third, first, ["SPAM"]),
        (first, first, ["INBOX", "STARRED"]),
    ]
    assert base64.urlsafe_b64decode(standin.control("raw", account=BEN, id=first)["raw"]) == mail(number=1)
    assert standin.control("accounts") == {"accounts": [ANN, BEN]}
    http = Http(standin.url, standin.access_token(BEN))
    assert http.get("/gmail/v1/users/me/profile").json["messagesTotal"] == 2
    http.close()
    assert standin.operations()[-1] == "gmail.getProfile"
    standin.clear_log()
    assert standin.log() == []


def test_a_control_that_makes_no_sense_says_why(standin: Standin) -> None:
    for name, arguments in (
        ("fly", {}),
        ("_world", {}),
        ("call", {}),
        ("deliver", {"account": ANN}),
        ("deliver", {"account": "nobody@acme.test", "raw": ""}),
        ("delete", {"account": ANN, "ids": ["19ff"]}),
        ("create_label", {"account": ANN, "name": "inbox"}),
        ("quota", {"per_hour": 1}),
    ):
        with pytest.raises(ValueError, match=r"\w"):
            standin.control(name, **arguments)


def test_the_digest_is_the_same_after_reading_and_another_after_the_smallest_change(google: GoogleStandin) -> None:
    mail_id = google.deliver(ANN, mail(), ["INBOX", "UNREAD"])
    before = google.snapshot(ANN)["digest"]

    with signed_in(google) as gmail:
        for path in (
            "/messages",
            "/labels",
            "/history?startHistoryId=1000",
            f"/messages/{mail_id}?format=raw",
            "/settings/sendAs",
        ):
            assert gmail.get(path).status == 200
        assert google.snapshot(ANN)["digest"] == before
        gmail.send("POST", f"/messages/{mail_id}/modify", {"removeLabelIds": ["UNREAD"]})

    assert google.snapshot(ANN)["digest"] != before


def test_labels_are_renamed_and_removed_by_the_person(google: GoogleStandin) -> None:
    label = google.create_label(ANN, "Customers")

    google.control("rename_label", account=ANN, label=label, name="Clients")
    assert {"id": label, "name": "Clients"} in google.snapshot(ANN)["labels"]
    google.control("delete_label", account=ANN, label=label)
    assert label not in [known["id"] for known in google.snapshot(ANN)["labels"]]


@pytest.mark.usefixtures("moving_clock")
def test_the_clock_moves_for_everybody(google: GoogleStandin) -> None:
    before = clock.now()

    told = google.control("clock", advance=86400)["now"]

    assert (clock.now() - before).days == 1
    assert told > before.isoformat()


def test_the_clock_of_a_real_machine_is_not_moved(google: GoogleStandin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLOWCRM_CLOCK_FILE", raising=False)

    with pytest.raises(ValueError, match="FLOWCRM_CLOCK_FILE"):
        google.control("clock", advance=1)


def test_the_readme_names_every_control() -> None:
    readme = (_ROOT / "standins/README.md").read_text()
    named = {name for name in vars(Controls) if not name.startswith("_") and name != "call"}

    assert {name for name in named if f"`{name}`" not in readme} == set()


def test_the_start_page_says_what_this_is(google: GoogleStandin) -> None:
    http = Http(google.url)
    page = http.get("/")
    nowhere = http.get("/elsewhere")
    wrong = http.call("POST", "/control/deliver", b"[]")
    http.close()

    assert b"Stand-in for Google: nothing leaves this machine" in page.body
    assert (nowhere.status, wrong.status) == (404, 400)


def test_the_command_serves_a_seed_file(tmp_path: Path) -> None:
    text = mail("From the file").decode()
    account = {
        "address": ANN,
        "name": "Ann",
        "labels": ["Customers"],
        "mails": [{"text": text, "labels": ["INBOX", "Customers"]}],
    }
    client = {"client_id": "mine", "secret": "s", "redirect_uris": [BACK]}
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps({"clients": [client], "accounts": [account]}))

    command = [sys.executable, "-m", "standins.google", "--port", "0", "--quota", "0", "--seed-file", str(seed)]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        google = RemoteStandin(line.split()[4])
        mails = google.snapshot(ANN)["mails"]
        quota = google.control("quota")["units_per_minute"]
        process.terminate()

    assert "nothing leaves this machine" in line
    assert [found["labels"] for found in mails] == [["INBOX", "Label_1"]]
    assert quota == 0


@pytest.mark.needs_chromium
def test_a_person_signs_in_with_a_browser(google: GoogleStandin, chromium: Path) -> None:
    google.create_account(BEN, "Ben Berg")
    asked = f"client_id=flowcrm-demo.apps.googleusercontent.com&response_type=code&state=s1&redirect_uri={BACK}"

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.route(f"{BACK}**", lambda route: route.fulfill(body="Back at the app"))
        page.goto(f"{google.url}/o/oauth2/v2/auth?{asked}&scope={READONLY} {LABELS}")
        page.get_by_role("button", name=BEN).click()
        page.get_by_role("checkbox", name="See and edit your email labels").uncheck()
        page.get_by_role("button", name="Allow", exact=True).click()
        page.get_by_text("Back at the app").wait_for()
        told = came_back(Reply(302, {"location": page.url}, b""))
        browser.close()

    assert (told["state"], told["scope"]) == ("s1", READONLY)
