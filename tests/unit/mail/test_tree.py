"""The MIME tree of well-made and of broken mail."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.mail import tree
from tests.unit.mail.corpus import mail, multipart


def leaves(raw: bytes) -> list[tuple[str, str, bytes]]:
    read = tree.read(raw)
    return [(leaf.number, leaf.type, read.content(leaf)) for leaf in read.leaves()]


PLAIN = b"Content-Type: text/plain\r\n\r\n"


def test_a_mail_without_structure_is_one_leaf() -> None:
    assert leaves(mail(b"Hello\r\n")) == [("1", "text/plain", b"Hello\r\n")]


def test_parts_are_numbered_as_imap_does() -> None:
    inner = multipart(PLAIN + b"a", PLAIN + b"b", kind="alternative", boundary="b2")
    assert [number for number, _, _ in leaves(multipart(inner, PLAIN + b"c"))] == ["1.1", "1.2", "2"]


def test_the_line_break_before_a_delimiter_belongs_to_it() -> None:
    assert leaves(multipart(PLAIN + b"a\r\n")) == [("1", "text/plain", b"a\r\n")]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"--b1\r\n\r\none\r\n--b1\r\n\r\ntwo\r\n", [b"one", b"two\r\n"]),  # never closed
        (b"--b1\r\n\r\none\r\n--b1--\r\n--b1\r\nepilogue", [b"one"]),
        (b"preamble\r\n--b1\t \r\n\r\none\r\n--b1--", [b"one"]),
        (b"--b1\r\n\r\n--b1x\r\n--b1 x\r\nx--b1\r\n--b1--", [b"--b1x\r\n--b1 x\r\nx--b1"]),
        (b"--b1\r\n--b1\r\n\r\none\r\n--b1--", [b"one"]),  # two delimiters in a row
        (b"--b1\r\n\r\none\r\n--b1\r\n", [b"one"]),  # nothing after the last
        (b"no delimiter at all", [b"no delimiter at all"]),
        (b"", [b""]),
    ],
)
def test_broken_multiparts_lose_nothing_that_can_be_read(body: bytes, found: list[bytes]) -> None:
    raw = mail(body, Content_Type="multipart/mixed; boundary=b1")
    assert [content for _, _, content in leaves(raw)] == found


def test_an_inner_multipart_ends_where_the_outer_goes_on() -> None:
    inner = mail(b"--b2\r\n\r\ninner", Content_Type="multipart/alternative; boundary=b2")
    assert [content for _, _, content in leaves(multipart(inner, PLAIN + b"outer"))] == [b"inner", b"outer"]


@pytest.mark.parametrize("kind", ["multipart/mixed", "multipart/mixed; boundary=", "multipart/mixed; boundary=other"])
def test_a_multipart_that_cannot_be_split_is_text(kind: str) -> None:
    read = tree.read(mail(b"--b1\r\n\r\none", Content_Type=kind))
    assert [(leaf.type, read.content(leaf)) for leaf in read.leaves()] == [("text/plain", b"--b1\r\n\r\none")]
    assert not read.well_formed


def test_a_boundary_without_its_semicolon_is_found() -> None:
    assert leaves(mail(b"--x\r\n\r\none\r\n--x--", Content_Type="multipart/mixed\r\n\tboundary=x"))[0][2] == b"one"


def test_parts_of_a_digest_are_messages() -> None:
    assert leaves(multipart(b"\r\nSubject: one\r\n\r\n1", kind="digest"))[0][1] == "message/rfc822"


def test_a_message_inside_is_a_leaf() -> None:
    inside = multipart(PLAIN + b"a", boundary="b2")
    assert leaves(multipart(b"Content-Type: message/rfc822\r\n\r\n" + inside)) == [("1", "message/rfc822", inside)]


@pytest.mark.parametrize(
    ("encoding", "encoded", "content"),
    [
        ("base64", b"SGVsbG8=\r\n", b"Hello"),
        ("BASE64", b"SGVsbG8", b"Hello"),
        ("base64", b"SG!Vsb*G8=", b"Hello"),
        ("base64", b"This is not base64 at all.", b"This is not base64 at all."),
        ("base64", b"SGVsbG8hS", b"Hello!"),
        ("quoted-printable", b"Gr=C3=BC=\r\n=C3=9Fe =zz", b"Gr\xc3\xbc\xc3\x9fe =zz"),
        ("7bit", b"plain", b"plain"),
        ("x-unknown", b"plain", b"plain"),
        ("x-uuencode", b"begin 644 a\n#86)C\n`\nend\n", b"abc"),
    ],
)
def test_transfer_encodings(encoding: str, encoded: bytes, content: bytes) -> None:
    assert leaves(mail(encoded, Content_Transfer_Encoding=encoding))[0][2] == content


def test_a_footer_that_a_list_hangs_below_base64_is_left_off() -> None:
    encoded = base64.encodebytes(b"Hello, world!!!" * 5) + b"\n_____\nTo leave this list, write to list-request@x.example\n"
    assert leaves(mail(encoded, Content_Transfer_Encoding="base64"))[0][2] == b"Hello, world!!!" * 5


def test_nesting_and_number_of_parts_are_bounded() -> None:
    raw = b""
    for depth in range(200):
        raw += b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (depth, depth)
    assert len(leaves(raw)) == 1
    many = mail(b"--b1\n\nx\n" * 5_000, Content_Type="multipart/mixed; boundary=b1")
    assert len(leaves(many)) <= 1_000


_PIECES = st.lists(
    st.sampled_from(
        [b"--b1", b"--b2", b"--", b"\r\n", b"\n", b"\n\n", b"x", b" ", b"Content-Type: multipart/mixed; boundary=b2\n"]
    )
).map(b"".join)


@given(_PIECES)
def test_leaves_lie_in_order_within_the_bytes(body: bytes) -> None:
    raw = b"Content-Type: multipart/mixed; boundary=b1\n\n" + body
    at = 0
    for leaf in tree.read(raw).leaves():
        assert at <= leaf.block.body_at == leaf.start <= leaf.end <= len(raw)
        at = leaf.end


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=5))
def test_what_was_put_in_comes_out(contents: list[bytes]) -> None:
    parts = [b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(content) for content in contents]
    assert [content for _, _, content in leaves(multipart(*parts))] == contents
