from django.apps import AppConfig


class JobsConfig(AppConfig):
    """An app without tables, so that Procrastinate finds `tasks`."""

    name = "flowcrm.jobs"
    label = "jobs"
