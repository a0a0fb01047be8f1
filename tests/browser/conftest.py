"""One running product and one browser for each module: both take seconds to start."""

from tests.browser.product import browser, running

__all__ = ["browser", "running"]
