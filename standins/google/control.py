"""The hand that moves the stand-in: what a test or the demo may do that no client of Google could.

Every public method of `Controls` is POST /control/<its name> with its arguments as a JSON object; `call` is that door.
"""

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from flowcrm.lib import clock
from standins.faults import Fault, FaultBook
from standins.google.gmail.render import from_base64, to_base64
from standins.google.quota import Quota
from standins.google.world import Client, Grant, World, now_ms
from standins.log import RequestLog
from standins.mailbox import Mail
from standins.web import Json


class ControlError(ValueError):
    """A control call that makes no sense; its text says why."""


class Controls:
    """Values in, JSON values out, so that it works alike in-process and over HTTP. Mails travel as base64 (either alphabet)."""

    def __init__(self, world: World, faults: FaultBook, quota: Quota, log: RequestLog) -> None:
        self._world = world
        self._faults = faults
        self._quota = quota
        self._log = log

    def call(self, name: str, arguments: Mapping[str, Any]) -> Json:
        """Raises ControlError for an unknown name or wrong arguments."""
        method = None if name.startswith("_") or name == "call" else getattr(self, name, None)
        if method is None:
            raise ControlError(f"There is no control {name!r}")
        try:
            inspect.signature(method).bind(**arguments)
            result: Json = method(**arguments)
        except (TypeError, ValueError, LookupError, RuntimeError) as error:
            raise ControlError(f"{name}: {type(error).__name__}: {error}") from error
        return result

    # -- accounts and sign-in ----------------------------------------------------------------------------------------

    def create_account(self, address: str, name: str = "", aliases: Iterable[str] = (), listed: bool = True) -> Json:
        """listed: the account chooser offers it; others only where the app hints at them."""
        account = self._world.create_account(address, name, aliases, listed=listed)
        return {"address": account.address, "id": account.number}

    def accounts(self) -> Json:
        return {"accounts": sorted(self._world.accounts)}

    def switch_mail(self, account: str, on: bool) -> Json:
        """Off: the account has no Gmail (400 failedPrecondition)."""
        self._world.account(account).mail_on = on
        return {}

    def create_client(self, client_id: str, secret: str, redirect_uris: Iterable[str] = (), **settings: Any) -> Json:
        """settings: name, require_pkce, testing (refresh tokens die after seven days)."""
        self._world.clients[client_id] = Client(client_id, secret, redirect_uris=tuple(redirect_uris), **settings)
        return {"client_id": client_id}

    def token(self, account: str, scopes: Iterable[str], client_id: str = "") -> Json:
        """An access and a refresh token, as if the person had just consented to `scopes`."""
        client = self._world.clients[client_id] if client_id else next(iter(self._world.clients.values()))
        granted = frozenset(scopes)
        address = self._world.account(account).address
        grant = Grant(client.id, address, granted, clock.now())
        self._world.consents[client.id, address] = granted
        return {"access_token": self._world.issue_access(grant, granted), "refresh_token": self._world.issue_refresh(grant)}

    def revoke(self, account: str, subtype: str = "") -> Json:
        """The person removes the app's access. subtype "invalid_rapt": the organisation's session policy ended it."""
        description = "reauth related error (invalid_rapt)" if subtype else "Token has been expired or revoked."
        return {"ended": self._world.kill_grants(account, description=description, subtype=subtype)}

    def change_password(self, account: str) -> Json:
        """Tokens with Gmail scopes end with the old password."""
        return {"ended": self._world.kill_grants(self._world.account(account).address)}

    def expire_access_tokens(self) -> Json:
        self._world.expire_access_tokens()
        return {}

    # -- mail --------------------------------------------------------------------------------------------------------

    def deliver(
        self,
        account: str,
        raw: str,
        labels: Iterable[str] = ("INBOX", "UNREAD"),
        internal_date: int | None = None,
        thread: str | None = None,
    ) -> Json:
        """A mail arrives. internal_date: epoch milliseconds (now). thread: an id, against Gmail's own rule."""
        mailbox = self._world.account(account).mailbox
        mail = mailbox.add(from_base64(raw), list(labels), now_ms() if internal_date is None else internal_date, thread)
        return {"id": mail.id, "threadId": mail.thread_id}

    def deliver_many(self, account: str, mails: Iterable[Mapping[str, Any]]) -> Json:
        """Many mails in one call: each with the arguments of `deliver` but the account."""
        return {"delivered": [self.deliver(account, **mail) for mail in mails]}

    def label(self, account: str, ids: Iterable[str], add: Iterable[str] = (), remove: Iterable[str] = ()) -> Json:
        """The person puts labels on and takes them off (ids of labels: INBOX, UNREAD, Label_1)."""
        mailbox = self._world.account(account).mailbox
        add, remove = list(add), list(remove)
        return {"mails": [_state(mailbox.change_labels(mail_id, add, remove)) for mail_id in ids]}

    def delete(self, account: str, ids: Iterable[str]) -> Json:
        """The person deletes mails for good."""
        mailbox = self._world.account(account).mailbox
        for mail_id in list(ids):
            mailbox.delete(mail_id)
        return {}

    def create_label(self, account: str, name: str) -> Json:
        shown = {"messageListVisibility": "show", "labelListVisibility": "labelShow"}
        label = self._world.account(account).mailbox.create_label(name, shown)
        return {"id": label.id, "name": label.name}

    def rename_label(self, account: str, label: str, name: str) -> Json:
        mailbox = self._world.account(account).mailbox
        changed = mailbox.change_label(label, name, mailbox.label(label).settings)
        return {"id": changed.id, "name": changed.name}

    def delete_label(self, account: str, label: str) -> Json:
        self._world.account(account).mailbox.delete_label(label)
        return {}

    def expire_history(self, account: str) -> Json:
        """Every historyId handed out so far answers 404 from now on."""
        self._world.account(account).mailbox.expire_history()
        return {}

    def snapshot(self, account: str) -> Json:
        """digest: over every byte, label, flag, time and thread of the mailbox. mails: newest first, without their bytes."""
        owner = self._world.account(account)
        with owner.mailbox.lock:
            return {
                "digest": owner.mailbox.digest(),
                "historyId": str(owner.mailbox.history_id),
                "mails": [_state(mail) for mail in owner.mailbox.newest_first()],
                "labels": [{"id": label.id, "name": label.name} for label in owner.mailbox.labels()],
                "drafts": dict(owner.drafts),
            }

    def raw(self, account: str, id: str) -> Json:
        """The bytes of one mail."""
        return {"raw": to_base64(self._world.account(account).mailbox.mail(id).raw)}

    # -- the weather ---------------------------------------------------------------------------------------------------

    def quota(self, **settings: Any) -> Json:
        """units_per_minute (0: unlimited), concurrency (0: unlimited), over (429 or 403), costs ({"messages.get": 20})."""
        unknown = set(settings) - {"units_per_minute", "concurrency", "over", "costs"}
        if unknown:
            raise ControlError(f"A quota has no {', '.join(sorted(unknown))}")
        self._quota.costs.update(settings.pop("costs", {}))
        for name, value in settings.items():
            setattr(self._quota, name, int(value))
        quota = self._quota
        return {
            "units_per_minute": quota.units_per_minute,
            "concurrency": quota.concurrency,
            "over": quota.over,
            "costs": quota.costs,
        }

    def fault(self, **fault: Any) -> Json:
        """Arm a fault: the fields of standins.faults.Fault."""
        self._faults.add(Fault.from_json(fault))
        return {}

    def faults(self) -> Json:
        return {"faults": [{**asdict(fault), "hits": hits} for fault, hits in self._faults.hits()]}

    def clear_faults(self) -> Json:
        self._faults.clear()
        return {}

    def log(self) -> Json:
        return {"log": self._log.to_json()}

    def clear_log(self) -> Json:
        self._log.clear()
        return {}

    def clock(self, advance: float = 0.0) -> Json:
        """Move the shared clock forward by seconds; needs FLOWCRM_CLOCK_FILE."""
        if advance:
            clock.advance(advance)
        return {"now": clock.now().isoformat()}


def _state(mail: Mail) -> Json:
    return {
        "id": mail.id,
        "threadId": mail.thread_id,
        "labels": sorted(mail.labels),
        "internalDate": mail.at_ms,
        "size": len(mail.raw),
    }
