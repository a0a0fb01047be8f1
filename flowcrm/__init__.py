"""FlowCRM email integration: a team's mailboxes, kept in step with their CRM."""

__version__ = "0.4.0"
