"""Why a mailbox was not connected: what happened, what was not lost, and what to press. One place, one sentence a cause."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from flowcrm.mail.errors import MailError, NeedsAdmin, NeedsLogin, PermissionMissing, Transient
from flowcrm.mailboxes.connect import OtherAddress, OwnedByAnother
from flowcrm.pages.integrations.errand import NoSuchErrand


@dataclass(frozen=True, slots=True)
class Press:
    """A button that leads on. url: a page of ours."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the page says. status: the HTTP status. code: the provider's own word, for whoever looks further."""

    title: str
    sentence: str
    presses: tuple[Press, ...]
    status: int = 400
    code: str = ""
    for_admin: bool = False


def connect_url(mailbox_id: int | None, kind: str = "gmail") -> str:
    """Where connecting begins, or re-connecting a mailbox."""
    url = reverse("connect_other" if kind == "imap" else "connect_gmail")
    return url if mailbox_id is None else f"{url}?mailbox={mailbox_id}"


def refusal(error: Exception, mailbox_id: int | None) -> Refusal:
    """The words for what `connect` may raise. mailbox_id: the mailbox that was to be re-connected."""
    again = Press(_("Re-authorize") if mailbox_id else _("Connect Gmail"), connect_url(mailbox_id))
    match error:
        case NoSuchErrand():
            return _no_such_errand(again)
        case OtherAddress():
            return _other_address(error, mailbox_id)
        case OwnedByAnother():
            return _owned_by_another()
        case PermissionMissing():
            return _permission_missing(mailbox_id)
        case NeedsLogin():
            return _not_given(error, again)
        case NeedsAdmin():
            return _needs_admin(error)
        case Transient():
            return _unreachable(error, again)
        case MailError():
            return _no_gmail(error, again)
    raise error


def _no_such_errand(again: Press) -> Refusal:
    return Refusal(
        _("This sign-in cannot be used"),
        _(
            "The answer from Google belongs to no sign-in that was begun here: it was used already, is older than 15 minutes,"
            " or was begun in another browser. Nothing was changed. Begin again from here."
        ),
        (again, _integrations()),
    )


def _other_address(error: OtherAddress, mailbox_id: int | None) -> Refusal:
    return Refusal(
        _("That is another mailbox"),
        _(
            "You wanted to connect %(wanted)s again, and signed in to Google as %(given)s. Nothing was changed: the emails of"
            " %(wanted)s stay as they are. Choose %(wanted)s at Google, or connect %(given)s as a mailbox of its own."
        )
        % {"wanted": error.wanted, "given": error.given},
        (
            Press(_("Choose %(address)s at Google") % {"address": error.wanted}, connect_url(mailbox_id)),
            Press(_("Connect %(address)s too") % {"address": error.given}, connect_url(None)),
        ),
    )


def _owned_by_another() -> Refusal:
    return Refusal(
        _("A colleague has connected this mailbox"),
        _(
            "This address is connected in your account by somebody else, and a mailbox belongs to one user. Nothing was"
            " changed. Connect a mailbox of your own, or ask your admin who has it."
        ),
        (Press(_("Connect another mailbox"), connect_url(None)), _integrations()),
    )


def _permission_missing(mailbox_id: int | None) -> Refusal:
    return Refusal(
        _("Permission missing"),
        _(
            "You signed in, but reading email was not ticked at Google, so FlowCRM could read nothing. Nothing was lost. Go"
            " there again and leave the box ticked."
        ),
        (Press(_("Allow reading email"), connect_url(mailbox_id)), _integrations()),
    )


def _not_given(error: MailError, again: Press) -> Refusal:
    if error.code == "access_denied":
        return Refusal(
            _("You did not allow it"),
            _("Google says that the permission was not given. Nothing was read and nothing was changed. You can begin again."),
            (again, _integrations()),
        )
    return Refusal(
        _("Google did not accept the sign-in"),
        _("The sign-in was used already or has become too old. Nothing was changed. Begin again from here."),
        (again, _integrations()),
        code=error.code,
    )


def _needs_admin(error: MailError) -> Refusal:
    if error.code == "not_set_up":
        return Refusal(
            _("Google is not set up yet"),
            _("An admin has to enter this installation's registration at Google first. Nothing was changed."),
            (_integrations(),),
            for_admin=True,
        )
    return Refusal(
        _("Your administrator must act"),
        _(
            "Google does not accept this FlowCRM: its registration is wrong or switched off, or your organisation does not"
            " allow it. Nothing was changed. An admin can mend it; here is a message to copy."
        ),
        (_integrations(),),
        code=error.code,
        for_admin=True,
    )


def _unreachable(error: MailError, again: Press) -> Refusal:
    return Refusal(
        _("Google cannot be reached"),
        _("Google did not answer, or has a problem of its own. Nothing was changed or lost. Try again in a minute."),
        (again, _integrations()),
        status=503,
        code=error.code,
    )


def _no_gmail(error: MailError, again: Press) -> Refusal:
    return Refusal(
        _("This Google account cannot be read"),
        _("Google refused to show the mailbox. Does the account have Gmail switched on? Nothing was changed."),
        (again, _integrations()),
        code=error.code,
    )


def _integrations() -> Press:
    return Press(_("Back to Integrations"), reverse("integrations"))
