"""What granian serves: Django, believing a proxy's word about the client where that proxy is trusted."""

import multiprocessing
import os

from django.core.asgi import get_asgi_application
from granian.utils.proxies import wrap_asgi_with_proxy_headers

from flowcrm.ops.supervise import die_with_parent

if multiprocessing.parent_process():
    # One of granian's workers: it must not go on answering when granian itself was killed.
    die_with_parent()

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flowcrm.settings")

application = get_asgi_application()

_trusted = os.environ.get("FLOWCRM_TRUSTED_PROXY")
if _trusted:
    application = wrap_asgi_with_proxy_headers(application, trusted_hosts=_trusted.split(","))
