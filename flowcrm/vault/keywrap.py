"""How key files are protected at rest: not at all beyond the folder's permissions, or by a key service (KMS)."""

import importlib
from typing import Any, Protocol

from tink import aead

from flowcrm.vault import keysets
from flowcrm.vault.errors import KeyStoreRefused, KeyStoreUnavailable


class KeyWrap(Protocol):
    """Seals the contents of a key file. `name` stands in the file in clear: it says who can unwrap it."""

    @property
    def name(self) -> str: ...

    def wrap(self, plain: bytes, bound_to: bytes) -> bytes: ...

    def unwrap(self, wrapped: bytes, bound_to: bytes) -> bytes: ...


class PlainWrap:
    """Key files as they are: whoever may read the folder has the keys. There is no key here to bind anything with."""

    name = "none"

    def wrap(self, plain: bytes, bound_to: bytes) -> bytes:  # noqa: ARG002
        return plain

    def unwrap(self, wrapped: bytes, bound_to: bytes) -> bytes:  # noqa: ARG002
        return wrapped


class KmsWrap:
    """Envelope encryption by a key service: each file has a data key of its own, and the service wraps that (AWS encrypts at
    most 4 KB directly, and a key file may grow beyond).

    name: Tink's key URI. remote: the service's key.
    """

    def __init__(self, name: str, remote: aead.Aead) -> None:
        self.name = name
        self._aead = aead.KmsEnvelopeAead(keysets.SEALING, remote)

    def wrap(self, plain: bytes, bound_to: bytes) -> bytes:
        try:
            return bytes(self._aead.encrypt(plain, bound_to))
        except Exception as error:  # the vendors' error trees exist only where their extra is installed
            raise KeyStoreUnavailable(f"The key service {self.name} did not wrap a key: {_cause(error)}") from error

    def unwrap(self, wrapped: bytes, bound_to: bytes) -> bytes:
        try:
            return bytes(self._aead.decrypt(wrapped, bound_to))
        except Exception as error:
            raise KeyStoreUnavailable(f"The key service {self.name} did not unwrap a key: {_cause(error)}") from error


def wrap_for(uri: str | None) -> KeyWrap:
    """The wrap that KEYS_URL's `wrap` part names; None: plain. Raises KeyStoreRefused with what is missing or wrong.

    A service's credentials are its vendor's defaults (environment, instance role).
    """
    return KmsWrap(uri, _remote_key(uri)) if uri else PlainWrap()


# scheme -> (Tink's module, its client class, the pip extra that brings the vendor's library)
_SERVICES = {
    "gcp-kms": ("tink.integration.gcpkms", "GcpKmsClient", "tink[gcpkms]"),
    "aws-kms": ("tink.integration.awskms", "AwsKmsClient", "tink[awskms]"),
}


def _remote_key(uri: str) -> aead.Aead:
    scheme = uri.partition("://")[0]
    if scheme not in _SERVICES:
        raise KeyStoreRefused(f"KEYS_URL: '{uri}' names no key service we know. Use gcp-kms://… or aws-kms://….")
    module, client, extra = _SERVICES[scheme]
    try:
        # Imported here: most installations have no key service, and its libraries are large extras.
        service: Any = importlib.import_module(module)
    except ImportError as error:
        raise KeyStoreRefused(f"KEYS_URL asks for {scheme}, which needs a library: pip install '{extra}'.") from error
    try:
        return getattr(service, client)(uri, "").get_aead(uri)
    except Exception as error:
        raise KeyStoreRefused(f"KEYS_URL: {scheme} does not accept '{uri}': {_cause(error)}") from error


def _cause(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
