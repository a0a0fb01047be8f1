"""Contacts and companies: what people typed into the CRM, in clear under row-level security."""

from django.db import models

from flowcrm.store.models.scoped import Scoped, link


class Company(Scoped):
    name = models.TextField()
    sort_key = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "company"


class CompanyDomain(Scoped):
    company = link("Company", "domains")
    domain = models.TextField()

    class Meta:
        managed = False
        db_table = "company_domain"


class Contact(Scoped):
    name = models.TextField()
    sort_key = models.TextField()
    title = models.TextField(default="", blank=True)
    phone = models.TextField(default="", blank=True)
    note = models.TextField(default="", blank=True)
    company = link("Company", "contacts", null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "contact"


class ContactAddress(Scoped):
    """One address, on one contact only. h_address ties it to the mail."""

    contact = link("Contact", "addresses")
    address = models.TextField()
    position = models.SmallIntegerField()
    gen = models.SmallIntegerField()
    h_address = models.BinaryField()

    class Meta:
        managed = False
        db_table = "contact_address"
        ordering = ("position", "id")
