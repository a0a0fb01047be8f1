"""What granian serves: streams of what changes, and Django behind a limit of what may be sent, believing a proxy's word about
the client where it is trusted."""

import multiprocessing
import os

from django.core.asgi import get_asgi_application
from django.urls import reverse
from granian.utils.proxies import wrap_asgi_with_proxy_headers

from flowcrm.ops.supervise import die_with_parent, when_told_to_stop
from flowcrm.pages.bodies import Bodies
from flowcrm.pages.live.app import Live

_in_worker = multiprocessing.parent_process() is not None
if _in_worker:
    # One of granian's workers: it must not go on answering when granian itself was killed.
    die_with_parent()

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flowcrm.settings")

_django = get_asgi_application()
# Granian waits for open answers before it stops, and a stream is one that never ends by itself.
application = Live(
    Bodies(_django, saying=[reverse("contact_upload")]), reverse("live"), when_stopped=when_told_to_stop if _in_worker else None
)

_trusted = os.environ.get("FLOWCRM_TRUSTED_PROXY")
if _trusted:
    application = wrap_asgi_with_proxy_headers(application, trusted_hosts=_trusted.split(","))
