"""No transaction stands open while a provider is asked: one slow answer must not hold rows that others wait for."""

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection as ours
from django.test import override_settings

from flowcrm.ops import postgres
from flowcrm.ops.home import Home
from tests.people import Someone
from tests.unit.scripted_server import ScriptedServer, Seen, reply_json
from tests.web.google import CLIENT_ID, SECRET, enter_client, leave, query

pytestmark = pytest.mark.needs_postgres

SET_UP = "/settings/integrations/google"
RETURN = "/settings/integrations/connect/gmail/return"


class TokenEndpoint:
    """Refuses every code, and notes who has a transaction open in this database while it is being asked."""

    def __init__(self, everybody: str) -> None:
        self.open: list[int] = []
        # Of other roles' transactions only a superuser is told.
        self._everybody = everybody

    def __call__(self, seen: Seen) -> list[bytes]:
        with psycopg.connect(self._everybody) as connection:
            found = connection.execute(
                """SELECT count(*) FROM pg_stat_activity
                   WHERE datname = %s AND xact_start IS NOT NULL AND pid <> pg_backend_pid()
                     AND backend_type = 'client backend'""",
                [ours.settings_dict["NAME"]],
            ).fetchone()
        assert found is not None
        self.open.append(found[0])
        return reply_json({"error": "invalid_grant"}, 400)


@pytest.fixture
def asked(server: Home) -> Iterator[TokenEndpoint]:
    endpoint = TokenEndpoint(postgres.maintenance_url(server))
    with ScriptedServer(endpoint) as google:
        settings = {"GOOGLE_TOKEN_URL": f"{google.url}/token", "GOOGLE_AUTH_URL": f"{google.url}/auth"}
        with override_settings(ALLOW_LOOPBACK_PROVIDERS=True, **settings):
            enter_client(CLIENT_ID, SECRET)
            yield endpoint


def test_none_while_a_code_is_exchanged(member: Someone, asked: TokenEndpoint) -> None:
    state = query(leave(member))["state"]
    answer = member.get(f"{RETURN}?state={state}&code=any")
    assert answer.status_code == 400
    assert asked.open == [0]


def test_none_while_the_registration_is_tested(member: Someone, asked: TokenEndpoint) -> None:
    answer = member.post(SET_UP, {"client_id": CLIENT_ID, "client_secret": SECRET})
    assert answer.status_code == 302
    assert asked.open == [0]
