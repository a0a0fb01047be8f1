from django.apps import AppConfig


class StoreConfig(AppConfig):
    """The one app with tables."""

    name = "flowcrm.store"
    label = "store"
