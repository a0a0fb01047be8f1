"""Nothing that came by mail lies readable anywhere: not in the database (asked, or read as files), the object store, the logs, the
queue. And without the key store nothing opens.

Every word of the mails holds one stem, which stands nowhere else on the machine.
"""

import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from flowcrm.lib import clock
from flowcrm.queue import wake_sync
from flowcrm.store.db import rows
from flowcrm.store.vaults import vault
from flowcrm.vault.errors import KeyMissing
from flowcrm.vault.keys import KeyStore
from standins.google.client import GoogleStandin
from tests.flow.acme import Box, Team, connect, google
from tests.people import Someone, make_someone
from tests.security.plain import dresses, found_below, found_in

STEM = "qvzkjxwpfb"
WANTED = dresses(STEM)

pytestmark = [pytest.mark.needs_postgres, pytest.mark.usefixtures("moving_clock")]


@dataclass(frozen=True)
class Synced:
    """A member whose mailbox was read, with everything that may go wrong under way. logs: what was said meanwhile."""

    member: Someone
    box: Box
    conversations: tuple[int, ...]


@given(st.sampled_from(sorted(WANTED)), st.binary(max_size=5), st.binary(max_size=5))
def test_the_search_finds_the_stem_in_every_dress(dress: str, before: bytes, after: bytes) -> None:
    assert found_in(before + WANTED[dress] + after, WANTED)


@given(st.binary(max_size=9), st.sampled_from(["utf-8", "utf-16-le", "utf-32-be"]))
def test_the_search_finds_the_stem_wherever_it_stands_in_base64_and_hex(before: bytes, coding: str) -> None:
    plain = before + f"a {STEM} b".encode(coding)
    assert found_in(base64_of(plain), WANTED)
    assert found_in(plain.hex().encode(), WANTED)
