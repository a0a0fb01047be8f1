"""What a failure below the provider means for a mailbox."""

import pytest

from flowcrm.connectors.network import network_error
from flowcrm.lib import http
from flowcrm.mail.errors import MailError, Permanent, Transient


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (http.HttpTimeout("x"), Transient, "timeout"),
        (http.HttpUnreachable("x"), Transient, "unreachable"),
        (http.HttpBroken("x"), Transient, "cut"),
        (http.HttpError("x"), Transient, "network"),
        (http.HttpTooLarge("x"), Permanent, "too_large"),
        (http.HttpForbidden("x"), Transient, "host_forbidden"),
        (http.HttpUntrusted("x"), Transient, "certificate"),
    ],
)
def test_each_kind_has_its_place_in_the_tree(error: http.HttpError, kind: type[MailError], code: str) -> None:
    mapped = network_error(error)
    assert (type(mapped), mapped.code, mapped.text) == (kind, code, "x.")
