"""What a failure below the provider's own protocol means for a mailbox; the same for every provider."""

from flowcrm.lib.http import HttpBroken, HttpError, HttpForbidden, HttpTimeout, HttpTooLarge, HttpUnreachable, HttpUntrusted
from flowcrm.mail.errors import MailError, Permanent, Transient

# kind -> (what to do, our word for it, since no provider had the chance to give one)
_MEANING: dict[type[HttpError], tuple[type[MailError], str]] = {
    HttpTimeout: (Transient, "timeout"),
    HttpUnreachable: (Transient, "unreachable"),
    HttpBroken: (Transient, "cut"),
    HttpTooLarge: (Permanent, "too_large"),
    # A captive portal answers for every host, with an address or a certificate of its own: an outage like any other.
    HttpForbidden: (Transient, "host_forbidden"),
    HttpUntrusted: (Transient, "certificate"),
}


def network_error(error: HttpError) -> MailError:
    """The mail tree's word for an error of lib.http that is no answer (what an `HttpStatus` means is the provider's to say)."""
    kind, code = _MEANING.get(type(error), (Transient, "network"))
    return kind(f"{error}.", code=code)
