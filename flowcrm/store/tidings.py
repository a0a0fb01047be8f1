"""Tidings: "this mailbox, or this member's bell, shows something else now", from the transaction that made it so to every web
process. Ids only."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import psycopg
from django.conf import settings
from psycopg import sql

CHANNEL = "flowcrm_tidings"
_EMAILS, _CARD, _NOTICES = "emails", "card", "notices"
# Without them a connection that a firewall has dropped in silence would be waited on for ever.
_KEEPALIVE: dict[str, Any] = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}


class TidingsLost(Exception):
    """PostgreSQL cannot be listened to just now; what is told meanwhile is missed."""


@dataclass(frozen=True, slots=True)
class Tiding:
    """A mailbox whose card shows something else now. emails: so may lists of its emails."""

    workspace_id: int
    mailbox_id: int
    emails: bool

    def written(self) -> str:
        """As it travels."""
        return f"{self.workspace_id} {self.mailbox_id} {_EMAILS if self.emails else _CARD}"


@dataclass(frozen=True, slots=True)
class Noticed:
    """A member whose notices are others now."""

    workspace_id: int
    member_id: int

    def written(self) -> str:
        """As it travels."""
        return f"{self.workspace_id} {self.member_id} {_NOTICES}"


def read_tiding(text: str) -> Tiding | Noticed | None:
    """None for what we do not understand: during an upgrade a newer release may tell of more."""
    match text.split(" "):
        case [workspace, member, "notices"] if workspace.isdecimal() and member.isdecimal():
            return Noticed(int(workspace), int(member))
        case [workspace, mailbox, (("emails" | "card") as what)] if workspace.isdecimal() and mailbox.isdecimal():
            return Tiding(int(workspace), int(mailbox), what == _EMAILS)
    return None


async def tidings() -> AsyncIterator[Tiding | Noticed | None]:
    """What is told from now on, over one connection of its own; never ends but by TidingsLost.

    None says "anything may have changed": first of all, once we listen, and for a tiding that is not understood.
    """
    try:
        async with await psycopg.AsyncConnection.connect(
            settings.DATABASE_URLS["listen"], autocommit=True, application_name="flowcrm-live", connect_timeout=10, **_KEEPALIVE
        ) as connection:
            await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
            yield None
            async for told in connection.notifies():
                yield read_tiding(told.payload)
    except psycopg.OperationalError as error:
        raise TidingsLost from error
