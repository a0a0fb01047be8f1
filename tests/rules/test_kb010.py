"""docs/kb-010.md says what the tests show, no more and no less."""

from tests.kb010.claims import CLAIMS
from tools import kb010


def test_the_page_is_what_the_tool_makes_of_the_tests() -> None:
    assert kb010.PAGE.read_text() == kb010.page(), "run: python -m tools.kb010"


def test_every_claim_of_the_article_has_its_line() -> None:
    assert list(CLAIMS) == [f"K{number:02}" for number in range(1, 61)]
