"""Every page of ours, for tests that hold for all of them."""

from flowcrm.pages.help.articles import ARTICLES

# What a member may open without any contact or company.
PLAIN = (
    "/notices",
    "/emails",
    "/emails/bin",
    "/contacts",
    "/contacts/new",
    "/contacts/import",
    "/companies",
    "/companies/new",
    "/settings/integrations",
    "/settings/integrations/connect/gmail",
    "/settings/integrations/connect/other",
    "/settings/integrations/google",
    "/settings/kept-out",
    "/settings/team",
    "/settings/plan",
    "/settings/audit",
    "/settings/sending",
    "/settings/profile",
    "/help",
    *(f"/help/{article.slug}" for article in ARTICLES),
    "/sign-in/password/",
    "/sign-in/two-factor/",
)


def of_contact(contact_id: int) -> tuple[str, ...]:
    return tuple(f"/contacts/{contact_id}{part}" for part in ("", "/emails", "/edit", "/remove", "/merge", "/split"))


def of_company(company_id: int) -> tuple[str, ...]:
    return tuple(f"/companies/{company_id}{part}" for part in ("", "/emails", "/edit"))
