"""One running product and one browser for all of them: both take seconds to start."""

from tests.browser.product import browser, running

__all__ = ["browser", "running"]
