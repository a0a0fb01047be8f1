"""The form for a forgotten password: the same answer in the same time, whoever has a sign-in here."""

from typing import Any

from allauth.account.forms import ResetPasswordForm
from django.http import HttpRequest

from flowcrm import queue


class ForgottenForm(ResetPasswordForm):  # type: ignore[misc]
    """Leaves a job either way: a page that waited for the mail server would tell by the clock who is known."""

    def save(self, request: HttpRequest, **kwargs: Any) -> str:  # noqa: ARG002  # allauth's signature
        found = next(iter(self.users), None)
        queue.send_forgotten(found.pk if found else None)
        return str(self.cleaned_data["email"])
