"""Setting up a fresh installation: one page, guarded by the code that the terminal shows."""

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from flowcrm.pages.forms import checked
from flowcrm.pages.middleware import SESSION_WORKSPACE
from flowcrm.pages.setup.forms import SetupForm
from flowcrm.store.models import Person
from flowcrm.store.queries.members import any_workspace
from flowcrm.store.writes.setup import CodeDead, CodeWrong, check_setup_code, do_set_up

_BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@login_not_required
@sensitive_post_parameters("password", "code")
@require_http_methods(["GET", "POST"])
def set_up(request: HttpRequest) -> HttpResponse:
    """The form; once an account is there, this page only leads home."""
    if any_workspace():
        return redirect("home")
    form = SetupForm(request.POST or None, initial={"code": request.GET.get("code", "")}, check_url=request.path)
    if "check" in request.POST:
        return checked(request, form)
    if form.is_valid() and _done(request, form):
        messages.success(request, _("Your account is ready. Next, connect a mailbox."))
        return redirect("integrations")
    return render(request, "setup/form.html", {"form": form})


def _done(request: HttpRequest, form: SetupForm) -> bool:
    try:
        check_setup_code(form.cleaned_data["code"])
        workspace_id = do_set_up(person=form.person(), workspace=form.workspace())
    except (CodeWrong, CodeDead) as error:
        form.refuse_code(error)
        return False
    login(request, Person.objects.get(email=form.cleaned_data["email"]), backend=_BACKEND)
    request.session[SESSION_WORKSPACE] = workspace_id
    return True
