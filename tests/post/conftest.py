"""What tests of outgoing mail share."""

from tests.post.standin import closed, plain, sends

__all__ = ["closed", "plain", "sends"]
