"""Accounts in a running product, made by the product's own writes in a moment: `move_in` for what a test does not walk through.

The writes run in a process of their own (tests/browser/moving.py, values as JSON): the product's database is not that of the
test's process, where Playwright's event loop would keep Django's ORM out besides.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from tests.browser.product import ROOT, Product

_MOVE = "import django; django.setup(); from tests.browser.moving import main; main()"


@dataclass(frozen=True)
class Box:
    """A mailbox to connect. selection: what comes in, "" while nothing is chosen. columns: put it into a condition that only
    time or a provider's mood would bring."""

    address: str
    selection: str = "all"
    columns: Mapping[str, str | int | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """A member to make."""

    name: str
    role: str = "user"
    boxes: Sequence[Box] = ()


@dataclass(frozen=True)
class Member:
    """session: the cookie of his browser. mailboxes: ids, in the order of the wish."""

    id: int
    name: str
    session: str
    mailboxes: tuple[int, ...]


@dataclass(frozen=True)
class House:
    """An account that lives. account: its short name. contacts: ids, in the order of the wish."""

    account: str
    members: tuple[Member, ...]
    contacts: tuple[int, ...]
    company: int


def move_in(
    product: Product, *members: Wanted, contacts: Sequence[Sequence[str]] = (), plan: str = "professional", google: bool = True
) -> House:
    """A new account. contacts: name and addresses each, all of one company. google: the registration at Google is entered."""
    wish = {"members": [asdict(one) for one in members], "contacts": contacts, "plan": plan, "google": google}
    done = subprocess.run(
        [sys.executable, "-c", _MOVE],
        input=json.dumps(wish),
        env=product.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout.splitlines()[-1])
    people = tuple(Member(one["id"], one["name"], one["session"], tuple(one["mailboxes"])) for one in made["members"])
    return House(made["account"], people, tuple(made["contacts"]), made["company"])
