"""What the store refuses for a person's reason. Pages and API turn these into a sentence at the field, or into "not found".

UserError       what was asked for cannot be done; the child says why and carries the values that the sentence needs
NotFound        there is no such row in this workspace, or this member may not know of it: the two are never told apart
"""


class UserError(Exception):
    """Base of the refusals that a person can mend; raised only as one of its children."""


class NotFound(Exception):
    """No such thing, as far as this member may know."""
