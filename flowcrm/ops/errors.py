"""Why a command refuses to run. The text is for the operator: what is wrong, and what to do.

OpsError
├── HomeRefused        a folder of the installation is open to others or closed to us, or a database's address is none
├── PostgresFailed     the embedded server cannot be used
├── MailServerWrong    the settings name no mail server that mail may go to
├── ExposureRefused    the web server would speak plain HTTP to other machines
├── TablesBehind       migrations are missing and we may not apply them
└── Refused            what the command's words ask for cannot be done
"""


class OpsError(Exception):
    """Base of the tree; raised only as one of its children."""


class HomeRefused(OpsError):
    """Nothing was read or written there."""


class PostgresFailed(OpsError):
    """Data that was committed is still there."""


class MailServerWrong(OpsError):
    """Nothing was started or sent."""


class ExposureRefused(OpsError):
    """Nothing listens."""


class TablesBehind(OpsError):
    """Nothing was started."""


class Refused(OpsError):
    """Nothing was changed."""
