"""Which company an address speaks of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.mail.addresses import normalise
from flowcrm.mail.company_domains import company_domains, is_free_mail, name_from_domain, registrable

_LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
_ENDS = st.sampled_from(["example", "com", "de", "co.uk", "com.br", "github.io", "kawasaki.jp", "gmail.com"])
_DOMAINS = st.builds(lambda labels, end: ".".join([*labels, end]), st.lists(_LABELS, max_size=4), _ENDS)


@pytest.mark.parametrize(
    ("email", "domains"),
    [
        ("anna@nordlicht.example", ("nordlicht.example",)),
        ("anna@eu.mail.nordlicht.co.uk", ("eu.mail.nordlicht.co.uk", "mail.nordlicht.co.uk", "nordlicht.co.uk")),
        ("anna@xn--mller-kva.example", ("xn--mller-kva.example",)),
        ("anna@shop.github.io", ("shop.github.io",)),
        *((f"anna@{one}", ()) for one in ("gmail.com", "web.de", "qq.com", "vip.163.com", "tuta.com", "posteo.de")),
        *((one, ()) for one in ("anna@co.uk", "anna@example", "anna@[192.0.2.1]", "anna@192.0.2.1", "anna", "", "a@b@", "a@.")),
    ],
)
def test_an_address_tells_the_domains_of_its_company(email: str, domains: tuple[str, ...]) -> None:
    assert company_domains(email) == domains


@given(domain=_DOMAINS)
def test_nobody_is_of_a_company_that_everybody_is_of(domain: str) -> None:
    domain = normalise(f"x@{domain}").rpartition("@")[2]
    found = company_domains(f"x@{domain}")
    assert all(domain == one or domain.endswith(f".{one}") for one in found)
    assert all(registrable(one) == registrable(domain) for one in found)
    assert not any(is_free_mail(one) for one in found)
    if found:
        assert (found[0], found[-1]) == (domain, registrable(domain))


@given(email=st.text())
def test_any_text_has_an_answer(email: str) -> None:
    for one in company_domains(normalise(email)):
        assert name_from_domain(one)


@pytest.mark.parametrize(
    ("domain", "name"),
    [
        ("nordlicht.example", "Nordlicht"),
        ("eu.acme-tools.co.uk", "Acme Tools"),
        ("xn--mller-kva.example", "Müller"),
        ("3m.example", "3m"),
        ("co.uk", ""),
    ],
)
def test_a_company_is_called_like_its_domain(domain: str, name: str) -> None:
    assert name_from_domain(domain) == name
