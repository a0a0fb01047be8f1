"""Every way in which a mailbox can fail us, as one tree. The parent says what to do, `code` and the text say why.

    MailError
    ├── Transient            try again by itself, with back-off
    │   └── RateLimited      try again at `retry_at`, not before; the allowance is smaller than we thought
    ├── NeedsLogin           only the mailbox's owner can mend it: Re-authorize
    │   └── PermissionMissing    signed in, but a permission was not given (`scope`)
    ├── NeedsAdmin           only an administrator can mend it (client secret, API switched off, policy)
    ├── CursorLost           the provider forgot our place: reconcile the smallest scope
    ├── Gone                 this one mail is no longer there
    └── Permanent            this one request can never succeed: quarantine the item, go on

`code` is the provider's own word (searchable on the web). The text is for people and logs: never mail content.
"""

from datetime import datetime


class MailError(Exception):
    """Base of the tree; raised only as one of its children."""

    def __init__(self, text: str, *, code: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.code = code


class Transient(MailError):
    """Nothing is lost; the same call may succeed later."""


class RateLimited(Transient):
    """The provider asked for patience until `retry_at` (None: it did not say)."""

    def __init__(self, text: str, *, code: str = "", retry_at: datetime | None = None) -> None:
        super().__init__(text, code=code)
        self.retry_at = retry_at


class NeedsLogin(MailError):
    """The grant is dead: revoked, expired, or the password changed."""


class PermissionMissing(NeedsLogin):
    """The grant lives, but without `scope`."""

    def __init__(self, text: str, *, scope: str, code: str = "") -> None:
        super().__init__(text, code=code)
        self.scope = scope


class NeedsAdmin(MailError):
    """The app's own registration or the organisation's policy is in the way."""


class CursorLost(MailError):
    """The bookmark is too old or unknown."""


class Gone(MailError):
    """The item does not exist (any more)."""


class Permanent(MailError):
    """The request is understood and refused for good."""
