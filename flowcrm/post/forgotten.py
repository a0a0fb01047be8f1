"""The mail by which somebody sets a new password."""

import structlog
from allauth.account import app_settings
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from flowcrm.post.letter import Letter
from flowcrm.post.sending import mail_server, post
from flowcrm.post.smtp import Later, NotSent
from flowcrm.store.models import Person

log = structlog.get_logger(__name__)


def send_new_password(person_id: int | None) -> bool:
    """Send the link, which is made now and lives for three days; False where the same may succeed later. None: to nobody."""
    person = Person.objects.filter(pk=person_id, is_active=True).first() if person_id is not None else None
    server = mail_server()
    if person is None or server is None:
        return True
    try:
        post(server, person.email, _letter(person))
    except NotSent as error:
        log.warning("not sent", what="new password", kind=type(error).__name__, reason=str(error.reason))
        return not isinstance(error, Later)
    return True


def _letter(person: Person) -> Letter:
    key = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(person)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(person), "key": key})
    return Letter(
        _("A new password for FlowCRM"),
        (
            _("Somebody, probably you, asked for a new password for %(address)s.") % {"address": person.email},
            _("The link works once, for three days. If it was not you, do nothing: your password stays as it is."),
        ),
        (_("Choose a new password"), str(settings.BASE_URL) + path),
        (_("You get this because your address was entered on the sign-in page. Answers to it are not read."),),
        list_name="sign-in",
    )
