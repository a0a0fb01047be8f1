"""Every address of the product, the only such table."""

from allauth.account import views as sign_in
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path, re_path

from flowcrm.pages.accounts import can_send_mail
from flowcrm.pages.companies import views as companies
from flowcrm.pages.contact_files import exporting as contact_export
from flowcrm.pages.contact_files import importing as contact_import
from flowcrm.pages.contacts import merging as contact_merging
from flowcrm.pages.contacts import remove as contact_remove
from flowcrm.pages.contacts import suggested as contact_suggested
from flowcrm.pages.contacts import views as contacts
from flowcrm.pages.emails import bin as email_bin
from flowcrm.pages.emails import content as email_content
from flowcrm.pages.emails import formatted as email_formatted
from flowcrm.pages.emails import views as emails
from flowcrm.pages.help import views as help_pages
from flowcrm.pages.integrations import choose as mailbox_choices
from flowcrm.pages.integrations import connect as mailbox_connect
from flowcrm.pages.integrations import other as mailbox_other
from flowcrm.pages.integrations import preview as mailbox_preview
from flowcrm.pages.integrations import views as integrations
from flowcrm.pages.integrations import why as mailbox_why
from flowcrm.pages.integrations import written as mailbox_people
from flowcrm.pages.join import views as join_pages
from flowcrm.pages.kept_out import views as kept_out_pages
from flowcrm.pages.live import viewer as live
from flowcrm.pages.notices import stopping as notice_stopping
from flowcrm.pages.notices import views as notices
from flowcrm.pages.provider import views as provider
from flowcrm.pages.settings import audit, leaving, sending, team
from flowcrm.pages.settings import views as settings
from flowcrm.pages.setup import views as setup


@login_not_required
def closed(_request: HttpRequest) -> HttpResponse:
    """allauth wants these names; nobody signs up by himself, and sign-in addresses are changed by the operator."""
    raise Http404


urlpatterns: list[URLPattern | URLResolver] = [
    path("", emails.home, name="home"),
    path("setup", setup.set_up, name="set_up"),
    path("join/<int:workspace_id>/<str:secret>", join_pages.join, name="join"),
    # Served as a stream before Django (pages/live/app.py), which asks this view whose it is.
    path("live", live.viewer, name="live"),
    # Notices
    path("notices", notices.index, name="notices"),
    path("notices/bell", notices.bell, name="notices_bell"),
    path("notices/latest", notices.latest, name="notices_latest"),
    path("notices/read", notices.read_all, name="notices_read"),
    path("notices/email/off/<str:token>", notice_stopping.stop_mail, name="notice_mail_stop"),
    path("notices/<int:notice_id>", notices.open_notice, name="notice"),
    # Emails
    path("emails", emails.index, name="emails"),
    path("emails/bin", email_bin.bin_, name="email_bin"),
    path("emails/bin/<int:copy_id>/back", email_bin.bring_back, name="email_bring_back"),
    path("emails/<int:conversation_id>", emails.one_thread, name="thread"),
    path("emails/<int:conversation_id>/remove", email_bin.remove_thread, name="thread_remove"),
    path("emails/message/<int:message_id>/remove", email_bin.remove_email, name="email_remove"),
    path("emails/<int:conversation_id>/private", emails.mark_thread, name="thread_private"),
    path("emails/message/<int:message_id>", emails.one_email, name="email"),
    path("emails/message/<int:message_id>/private", emails.mark_email, name="email_private"),
    path("emails/message/<int:message_id>/formatted", email_formatted.formatted, name="email_formatted"),
    path("emails/message/<int:message_id>/original", email_content.original, name="email_original"),
    path("emails/message/<int:message_id>/contact", emails.add_contact, name="email_contact"),
    path("emails/files/<int:attachment_id>", email_content.attachment, name="email_file"),
    # Contacts
    path("contacts", contacts.index, name="contacts"),
    path("contacts/new", contacts.create, name="contact_create"),
    path("contacts/import", contact_import.upload, name="contact_upload"),
    path("contacts/import/example", contact_import.example, name="contact_example"),
    path("contacts/import/<int:upload_id>", contact_import.preview, name="contact_import"),
    path("contacts/import/<int:upload_id>/errors", contact_import.wrong_rows, name="contact_import_errors"),
    path("contacts/import/<int:upload_id>/drop", contact_import.drop, name="contact_import_drop"),
    path("contacts/export", contact_export.export, name="contact_export"),
    path("contacts/suggested", contact_suggested.decide, name="contacts_suggested"),
    path("contacts/restore", contacts.restore, name="contact_restore"),
    path("contacts/<int:contact_id>", contacts.record, name="contact"),
    path("contacts/<int:contact_id>/emails", emails.of_contact, name="contact_emails"),
    path("contacts/<int:contact_id>/edit", contacts.change, name="contact_change"),
    path("contacts/<int:contact_id>/merge", contact_merging.merge, name="contact_merge"),
    path("contacts/<int:contact_id>/split", contact_merging.split, name="contact_split"),
    path("contacts/<int:contact_id>/undo", contact_merging.undo, name="contact_undo"),
    path("contacts/<int:contact_id>/delete", contacts.delete, name="contact_delete"),
    path("contacts/<int:contact_id>/remove", contact_remove.remove, name="contact_remove"),
    # Companies
    path("companies", companies.index, name="companies"),
    path("companies/new", companies.create, name="company_create"),
    path("companies/names", companies.names, name="company_names"),
    path("companies/<int:company_id>", companies.record, name="company"),
    path("companies/<int:company_id>/emails", emails.of_company, name="company_emails"),
    path("companies/<int:company_id>/edit", companies.change, name="company_change"),
    # Settings
    path("settings", settings.index, name="settings"),
    path("settings/integrations", integrations.index, name="integrations"),
    path("settings/integrations/connect/gmail", mailbox_connect.connect_gmail, name="connect_gmail"),
    path("settings/integrations/connect/gmail/return", mailbox_connect.gmail_return, name="gmail_return"),
    path("settings/integrations/connect/other", mailbox_other.connect_other, name="connect_other"),
    path("settings/integrations/google", provider.google, name="google_setup"),
    path("settings/integrations/google/test", provider.google_test, name="google_test"),
    path("settings/integrations/<int:mailbox_id>", integrations.one_card, name="mailbox_card"),
    path("settings/integrations/<int:mailbox_id>/settings", mailbox_choices.choose, name="mailbox_choose"),
    path("settings/integrations/<int:mailbox_id>/preview", mailbox_preview.preview, name="mailbox_preview"),
    path("settings/integrations/<int:mailbox_id>/undo", mailbox_choices.undo, name="mailbox_undo"),
    path("settings/integrations/<int:mailbox_id>/why", mailbox_why.why, name="mailbox_why"),
    path("settings/integrations/<int:mailbox_id>/gain", mailbox_choices.gain, name="mailbox_gain"),
    path("settings/integrations/<int:mailbox_id>/let-in", mailbox_choices.let_in, name="mailbox_let_in"),
    path("settings/integrations/<int:mailbox_id>/let-back", mailbox_choices.let_back, name="mailbox_let_back"),
    path("settings/integrations/<int:mailbox_id>/running", mailbox_choices.running, name="mailbox_running"),
    path("settings/integrations/<int:mailbox_id>/newest", mailbox_choices.newest, name="mailbox_newest"),
    path("settings/integrations/<int:mailbox_id>/people", mailbox_people.people, name="mailbox_people"),
    path("settings/integrations/<int:mailbox_id>/people/decide", mailbox_people.decide, name="mailbox_people_decide"),
    path("settings/integrations/<int:mailbox_id>/do", integrations.act, name="mailbox_act"),
    path("settings/integrations/<int:mailbox_id>/disconnect", integrations.disconnect, name="mailbox_disconnect"),
    path("settings/integrations/<int:mailbox_id>/set-apart", integrations.set_apart, name="mailbox_set_apart"),
    path("settings/kept-out", kept_out_pages.kept_out, name="kept_out"),
    path("settings/kept-out/<int:entry_id>/off", kept_out_pages.take_off, name="kept_out_off"),
    path("settings/team", team.show_team, name="team"),
    path("settings/team/invites/<int:invite_id>/revoke", team.revoke_invite, name="invite_revoke"),
    path("settings/team/invites/<int:invite_id>/again", team.send_invite_again, name="invite_again"),
    path("settings/team/<int:member_id>/role", team.change_role, name="member_role"),
    path("settings/team/<int:member_id>/deactivate", leaving.deactivate, name="member_deactivate"),
    path("settings/team/<int:member_id>/reactivate", leaving.reactivate, name="member_reactivate"),
    path("settings/plan", settings.show_plan, name="plan"),
    path("settings/audit", audit.audit, name="audit"),
    path("settings/audit/csv", audit.audit_csv, name="audit_csv"),
    path("settings/sending", sending.sending, name="sending"),
    path("settings/profile", settings.profile, name="profile"),
    path("settings/account", settings.choose_account, name="choose_account"),
    path("settings/theme", settings.theme, name="theme"),
    # Help
    path("help", help_pages.index, name="help"),
    path("help/<slug:article>", help_pages.article, name="article"),
    # Sign-in (django-allauth; its own names)
    path("sign-in/", sign_in.login, name="account_login"),
    path("sign-out/", sign_in.logout, name="account_logout"),
    path("sign-in/closed/", sign_in.account_inactive, name="account_inactive"),
    path("sign-in/again/", sign_in.reauthenticate, name="account_reauthenticate"),
    path("sign-in/password/", sign_in.password_change, name="account_change_password"),
    path("sign-in/password/set/", sign_in.password_set, name="account_set_password"),
    path("sign-in/two-factor/", include("allauth.mfa.urls")),
    path("sign-in/none/up/", closed, name="account_signup"),
    path("sign-in/none/address/", closed, name="account_email"),
]

if can_send_mail():
    urlpatterns += [
        path("sign-in/forgot/", sign_in.password_reset, name="account_reset_password"),
        path("sign-in/forgot/sent/", sign_in.password_reset_done, name="account_reset_password_done"),
        path("sign-in/forgot/done/", sign_in.password_reset_from_key_done, name="account_reset_password_from_key_done"),
        # By hand: a converter would take the key's own dashes into the first part.
        re_path(
            r"^sign-in/forgot/(?P<uidb36>[0-9a-z]+)-(?P<key>[0-9a-z-]+)/$",
            sign_in.password_reset_from_key,
            name="account_reset_password_from_key",
        ),
    ]
