"""Links without what gateways and trackers put around them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.mail import links


@pytest.mark.parametrize(
    "url",
    [
        "https://x.example/page",
        "https://X.example/page/",
        "https://x.example/page?utm_source=mail&utm_campaign=1",
        "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fx.example%2Fpage&data=05%7C02",
        "https://urldefense.com/v3/__https://x.example/page__;!!abc$",
        "https://urldefense.com/v3/__https:/x.example/page__;!!abc$",
        "https://urldefense.proofpoint.com/v2/url?u=https-3A__x.example_page&d=DwMF&c=x",
    ],
)
def test_every_wrapping_leads_to_the_same_link(url: str) -> None:
    assert links.plain(url) == "https://x.example/page"


def test_links_that_differ_stay_different() -> None:
    assert links.plain("https://x.example/a?id=1") != links.plain("https://x.example/a?id=2")


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    links.plain("https://" + text)
