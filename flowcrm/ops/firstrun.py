"""What an installation needs once, before anybody was in it."""

from django.conf import settings

from flowcrm.store.queries.members import any_workspace
from flowcrm.store.vaults import key_store
from flowcrm.store.writes.setup import new_setup_code


def ensure_instance_keys() -> None:
    """Make the installation's own keys on an empty database. Later they are never made: new ones would hide the loss."""
    if not any_workspace():
        key_store().create_instance()


def invitation() -> str:
    """On an empty database, the sentence that leads to the set-up page; empty afterwards. Its code is new each time."""
    if any_workspace():
        return ""
    ensure_instance_keys()
    return f"Set it up at {settings.BASE_URL}/setup with the code {new_setup_code()}"
