"""The installation's address follows where it listens, unless the operator said what people type."""

import os
import socket

import pytest

from flowcrm.ops import listening
from flowcrm.ops.errors import ExposureRefused


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    # So that what is set by the code under test is taken away again.
    monkeypatch.setenv("FLOWCRM_BASE_URL", "")
    monkeypatch.delenv("FLOWCRM_BASE_URL")


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.parametrize(
    ("words", "address"),
    [
        ("--port=PORT", "http://127.0.0.1:PORT"),
        ("--port PORT --workers 2", "http://127.0.0.1:PORT"),
        ("--host localhost --port PORT", "http://localhost:PORT"),
        ("--host 127.0.0.1 --port PORT --certificate c.pem --key k.pem", "https://127.0.0.1:PORT"),
    ],
)
def test_the_address_follows(words: str, address: str, port: int) -> None:
    listening.prepare(["serve", *words.replace("PORT", str(port)).split()])
    assert os.environ["FLOWCRM_BASE_URL"] == address.replace("PORT", str(port))


def test_what_the_operator_set_stays(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    monkeypatch.setenv("FLOWCRM_BASE_URL", "https://crm.acme.example")
    listening.prepare(["serve", f"--port={port}"])
    assert os.environ["FLOWCRM_BASE_URL"] == "https://crm.acme.example"


def test_all_addresses_of_a_machine_are_none_that_people_type(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    monkeypatch.setenv("FLOWCRM_BASE_URL", "https://crm.acme.example")
    listening.prepare(["web", "--host=0.0.0.0", f"--port={port}", "--certificate=c.pem", "--key=k.pem"])
    monkeypatch.delenv("FLOWCRM_BASE_URL")
    with pytest.raises(ExposureRefused, match="FLOWCRM_BASE_URL"):
        listening.prepare(["web", "--host=0.0.0.0", f"--port={port}", "--certificate=c.pem", "--key=k.pem"])
