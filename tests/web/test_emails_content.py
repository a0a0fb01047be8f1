"""What comes by mail is shown and can do nothing: formatted text in its frame, names and subjects, attachments, originals."""

import asyncio
from typing import Any

import pytest

from flowcrm.pages.emails.stream import download, in_pieces, safe_name
from flowcrm.store.db import rows
from flowcrm.store.vaults import blob_store
from tests.mail_helper import Mail, connect, conversation_of, keep, raw
from tests.people import Someone

pytestmark = pytest.mark.needs_postgres

# A scrap of what people have tried on webmailers; each would run, load or cover something if it got through.
ATTACKS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '<svg><use href="data:image/svg+xml;base64,PHN2Zz4="></use></svg>',
    "<svg><animate attributeName=href values=javascript:alert(1) /></svg>",
    '<a href="javascript:alert(1)">x</a>',
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    '<iframe src="https://evil.example"></iframe>',
    '<form action="https://evil.example"><input name=p><button>Sign in</button></form>',
    '<meta http-equiv="refresh" content="0;url=https://evil.example">',
    '<base href="https://evil.example/">',
    '<link rel=stylesheet href="https://evil.example/x.css">',
    "<style>@import url(https://evil.example/x.css)</style>",
    '<div style="position:fixed;inset:0;background:url(https://evil.example/a)">x</div>',
    '<div style="background-image:\\75\\72\\6C(https://evil.example/b)">x</div>',
    '<table background="https://evil.example/c"><tr><td background="https://evil.example/d">x</td></tr></table>',
    '<img srcset="https://evil.example/e 2x">',
    '<img src="https://evil.example/pixel.gif" width=1 height=1>',
    '<img src="//evil.example/f">',
    '<video poster="https://evil.example/g"></video>',
    '<object data="https://evil.example/h"></object>',
    '<input type=image src="https://evil.example/i">',
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
)
_FORBIDDEN = (
    "<script",
    "onerror",
    "javascript:",
    "evil.example",
    "<iframe",
    "<form",
    "<meta http",
    "<base",
    "<link",
    "<svg",
    "<object",
)


def _page(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return str(answer.content.decode())


def _html(someone: Someone, html: str, **more: Any) -> int:
    return keep(someone.workspace_id, connect(someone), raw(html=html, **more))[0]


def _formatted(someone: Someone, message_id: int, query: str = "") -> Any:
    return someone.get(f"/emails/message/{message_id}/formatted{query}")


def _policy(answer: Any) -> dict[str, str]:
    return dict(part.strip().partition(" ")[::2] for part in answer["Content-Security-Policy"].split(";"))


def _body_of(page: str) -> str:
    return page.partition("<body>")[2]


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_would_run_load_or_cover_something_is_gone(member: Someone, attack: str) -> None:
    page = _body_of(_page(_formatted(member, _html(member, f"<p>before</p>{attack}<p>after</p>"))))
    assert "before" in page
    for word in _FORBIDDEN:
        assert word not in page.lower(), word


def test_the_frame_s_own_policy_allows_next_to_nothing(member: Someone) -> None:
    answer = _formatted(member, _html(member, "<b>x</b>"))
    policy = _policy(answer)
    assert policy["default-src"] == policy["form-action"] == policy["base-uri"] == "'none'"
    assert policy["img-src"] == "'self' data:"
    assert policy["style-src"] == "'self' 'unsafe-inline'"
    assert policy["frame-ancestors"] == "'self'"
    assert set(policy["sandbox"].split()) == {"allow-same-origin", "allow-popups", "allow-popups-to-escape-sandbox"}
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Cache-Control"] == "no-store"


def test_the_page_s_frame_may_run_nothing(member: Someone) -> None:
    page = _page(member.part(f"/emails/message/{_html(member, '<b>x</b>')}"))
    frame = page.partition("<iframe")[2].partition(">")[0]
    assert 'sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"' in frame
    assert "allow-scripts" not in page
    assert 'referrerpolicy="no-referrer"' in frame


def test_pictures_from_elsewhere_wait_to_be_asked_for(member: Someone) -> None:
    kept = _html(member, '<p>Hi</p><img src="https://pics.example/a.png"><img src="http://pics.example/b.png">')
    answer = _formatted(member, kept)
    page = _page(answer)
    assert "pics.example" not in page
    assert "2 pictures lie on other servers and are not loaded" in page
    assert f'href="/emails/message/{kept}/formatted?images=1"' in page
    asked = _formatted(member, kept, "?images=1")
    assert 'src="https://pics.example/a.png"' in _page(asked)
    assert "Load remote images" not in _page(asked)
    assert _policy(asked)["img-src"] == "'self' data: https:"


def test_pictures_of_the_email_itself_are_shown(member: Someone) -> None:
    png = b"\x89PNG\r\n\x1a\n" + b"x" * 100
    mail = (
        b"From: a@x.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n"
        b'--b\r\nContent-Type: text/html\r\n\r\n<p>Logo</p><img src="cid:Logo@x">\r\n'
        b"--b\r\nContent-Type: image/png; name=logo.png\r\nContent-ID: <logo@X>\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    ) + png + b"\r\n--b--\r\n"  # fmt: skip
    (kept,) = keep(member.workspace_id, connect(member), mail)
    page = _page(_formatted(member, kept))
    path = page.partition('<img src="')[2].partition('"')[0]
    assert path.endswith("?inline=1")
    answer = member.get(path)
    assert b"".join(answer.streaming_content) == png
    assert answer["Content-Type"] == "image/png"
    assert answer["Content-Disposition"].startswith("inline")
    # What is shown inside is not listed once more.
    assert "logo.png" not in _page(member.part(f"/emails/message/{kept}"))


def test_a_quote_is_folded_in_formatted_text_too(member: Someone) -> None:
    html = '<div>Yes.</div><div class="gmail_quote">On Monday Mara wrote:<blockquote>Shall I?</blockquote></div>'
    page = _body_of(_page(_formatted(member, _html(member, html))))
    own, _fold, quoted = page.partition("<details")
    assert "Yes." in own
    assert "Shall I?" not in own
    assert "Shall I?" in quoted


def test_an_email_with_colours_of_its_own_keeps_its_white_paper(member: Someone) -> None:
    plain, coloured = _html(member, "<p>Hi</p>"), _html(member, '<p style="color:#000">Hi</p>')
    assert '<html lang="en">' in _page(_formatted(member, plain))
    assert '<html lang="en" class="paper">' in _page(_formatted(member, coloured))
    member.client.cookies["theme"] = "dark"
    assert '<html lang="en" data-theme="dark">' in _page(_formatted(member, plain))
    member.client.cookies["theme"] = '"><script>'
    assert '<html lang="en">' in _page(_formatted(member, plain))


def test_plain_text_in_the_frame_is_plain_text(member: Someone) -> None:
    (kept,) = keep(member.workspace_id, connect(member), raw(text="<b>1 < 2</b>"))
    assert "&lt;b&gt;1 &lt; 2&lt;/b&gt;" in _body_of(_page(_formatted(member, kept)))


@pytest.mark.parametrize("attack", ATTACKS)
def test_names_subjects_texts_and_file_names_are_text(member: Someone, attack: str) -> None:
    mail = raw(
        f"S {attack}",
        f"T {attack}",
        sender=f'"N {attack.translate(str.maketrans("", "", chr(34) + chr(92)))}" <a@x.example>',
        files=[(f"F {attack}.txt", "text/plain", b"x")],
    )
    (kept,) = keep(member.workspace_id, connect(member), mail)
    thread = f"/emails/{conversation_of(member.workspace_id, kept)}"
    for page in (_page(member.get("/emails")), _page(member.get(thread)), _page(member.part(f"/emails/message/{kept}"))):
        assert attack not in page
        for tag in ("<script>", "<img", '<iframe src="https', '<form action="https', "<style", "<base"):
            assert tag not in page.partition("<main")[2], tag


def test_an_attachment_is_saved_and_never_run(member: Someone) -> None:
    files = [
        ("page.html", "text/html", b"<script>alert(1)</script>"),
        ("pic.svg", "image/svg+xml", b"<svg onload=alert(1)/>"),
        ("plan.pdf", "application/pdf", b"%PDF"),
        ("photo.jpg", "image/jpeg", b"\xff\xd8"),
    ]
    (kept,) = keep(member.workspace_id, connect(member), raw(files=files))
    with member.scope():
        ids = [one for (one,) in rows("SELECT id FROM attachment ORDER BY id", [])]
    expected = ["application/octet-stream", "application/octet-stream", "application/pdf", "image/jpeg"]
    for file_id, kind, (name, _type, content) in zip(ids, expected, files, strict=True):
        for query in ("", "?inline=1"):
            answer = member.get(f"/emails/files/{file_id}{query}")
            assert b"".join(answer.streaming_content) == content
            assert answer["Content-Type"] == kind
            assert answer["X-Content-Type-Options"] == "nosniff"
            assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
            assert answer["Content-Length"] == str(len(content))
            inline = bool(query) and kind.startswith("image/")
            assert answer["Content-Disposition"] == f'{"inline" if inline else "attachment"}; filename="{name}"'
    assert kept


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("plan.pdf", "plan.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\a.doc", "a.doc"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ('a"b\r\nSet-Cookie: x.txt', "abSet-Cookie x.txt"),
        ("", "attachment"),
        ("...", "attachment"),
        ("\x00\x01", "attachment"),
        ("Ünïcödé 渡辺.txt", "Ünïcödé 渡辺.txt"),
        ("x" * 300 + ".pdf", "x" * 150 + ".pdf"),
    ],
)
def test_a_file_s_name_can_do_no_harm(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_the_original_downloads_byte_for_byte(member: Someone) -> None:
    original = raw("Größe: 1/2", "x" * 20_000)
    (kept,) = keep(member.workspace_id, connect(member), original)
    answer = member.get(f"/emails/message/{kept}/original")
    assert b"".join(answer.streaming_content) == original
    assert answer["Content-Type"] == "message/rfc822"
    assert answer["Content-Length"] == str(len(original))
    assert answer["Content-Disposition"] == "attachment; filename*=utf-8''Gr%C3%B6%C3%9Fe%201-2.eml"


def test_a_download_leaves_in_pieces_also_from_an_async_server() -> None:
    """Django's own answer would read all of it into memory first, and warn."""
    content = bytes(range(256)) * 1000

    async def pieces() -> list[bytes]:
        return [piece async for piece in download(in_pieces(content), name="x", type="text/plain", size=None)]

    got = asyncio.run(pieces())
    assert b"".join(got) == content
    assert len(got) > 1


def test_an_attachment_over_the_limit_says_where_it_is(member: Someone) -> None:
    """K48."""
    big = raw(files=[("big.bin", "application/octet-stream", b"x" * (50 * 2**20 + 1))])
    (kept,) = keep(member.workspace_id, connect(member), big)
    page = _page(member.part(f"/emails/message/{kept}"))
    assert "over the limit: still in Gmail" in page
    assert "without the attachments over the limit" in page
    with member.scope():
        ((file_id,),) = rows("SELECT id FROM attachment", [])
    assert f"/emails/files/{file_id}" not in page
    assert member.get(f"/emails/files/{file_id}").status_code == 404


def test_content_that_is_missing_is_said_and_the_rest_of_the_thread_shown(member: Someone) -> None:
    mailbox = connect(member)
    first, second = keep(
        member.workspace_id,
        mailbox,
        Mail(raw("A", "The first.", message_id="<a@x>"), 1),
        Mail(raw("Re: A", "B" * 40_000, reply_to="<a@x>"), 2),
    )
    with member.scope():
        for (ref,) in rows("SELECT ref FROM blob WHERE ref IS NOT NULL", []):
            blob_store().delete(ref)
    page = _page(member.get(f"/emails/{conversation_of(member.workspace_id, first)}"))
    assert "stored content is missing or damaged" in page
    assert "The first." in page
    for path in ("formatted", "original"):
        answer = member.get(f"/emails/message/{second}/{path}")
        assert answer.status_code == 503
        assert "missing or damaged" in answer.content.decode()


def test_any_bytes_can_be_opened(member: Someone) -> None:
    odd = (
        b"",
        b"\x00\xff" * 50,
        b"Content-Type: text/html; charset=nonsense\r\n\r\n<p>\xff\xfe</p>",
        b"Subject: \xff\xfe\r\n\r\n\xff",
    )
    for kept in keep(member.workspace_id, connect(member), *odd):
        for path in ("", "/formatted"):
            assert member.part(f"/emails/message/{kept}{path}").status_code == 200
    assert member.get("/emails").status_code == 200
