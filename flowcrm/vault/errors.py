"""What can go wrong with keys, seals and large content, as one tree. Texts name ids and places, never content.

VaultError
├── KeyMissing              no keys for this account in the key store: restore the key store's backup
│   └── KeysDestroyed       they were destroyed on purpose: nothing will ever open this account's mail again
├── KeyStoreUnavailable     the folder or the key service does not answer: pause, nothing is lost, try later
│   └── KeyStoreRefused     it answers, but must not be used as it is (open to others, damaged, wrong wrapping)
├── SealBroken              the bytes were changed, belong elsewhere, or their key is gone
├── BlobMissing             the object store has no such object
├── BlobStoreFull           no room left in the object store
└── BlobStoreUnavailable    the object store does not answer: pause, nothing is lost, try later
"""


class VaultError(Exception):
    """Base of the tree; raised only as one of its children."""


class KeyMissing(VaultError):
    """The key store answers and has no keys for this owner."""


class KeysDestroyed(KeyMissing):
    """The owner's keys were destroyed on purpose (erasure); a tombstone in the key store says when."""


class KeyStoreUnavailable(VaultError):
    """The key store or its key service cannot be reached or read right now."""


class KeyStoreRefused(KeyStoreUnavailable):
    """The key store needs an operator: its text says what to do."""


class SealBroken(VaultError):
    """Sealed bytes that do not open under the binding asked for."""


class BlobStoreError(VaultError):
    """What the object store did not do for us; raised only as one of its children."""


class BlobMissing(BlobStoreError):
    """The object store answers and has no such object."""


class BlobStoreFull(BlobStoreError):
    """The object store has no room left."""


class BlobStoreUnavailable(BlobStoreError):
    """The object store cannot be reached, or refused us."""
