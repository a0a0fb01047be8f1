from django.apps import AppConfig


class PagesConfig(AppConfig):
    """Everything a person sees: templates, static files, template tags."""

    name = "flowcrm.pages"
    label = "pages"
