"""Letters whose headers, parts and bodies hurt their reader."""

from __future__ import annotations

import base64
import gzip
import struct

from layouts.findings import Code
from tests.hostile.corpus.making import (
    BODY,
    DECLARATION,
    LOGIN,
    MB,
    SENDER,
    attached,
    carrying,
    header,
    hostile,
    plain,
    several,
)

# MIME.


@hostile(Code.TOO_MANY_DOCUMENTS)
def mime_of_a_hundred_thousand_parts() -> bytes:
    return several(BODY, *([b"\r\nx"] * 100_000))


@hostile(Code.TOO_MANY_DOCUMENTS)
def mime_of_thousands_of_documents() -> bytes:
    return several(BODY, *(attached(f"{n}.xml", b"<a/>") for n in range(5000)))


@hostile()
def mime_three_thousand_deep() -> bytes:
    parts = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n)
        for n in range(3000)
    )
    return header() + parts + b"\r\n" + LOGIN


@hostile()
def letters_a_thousand_deep() -> bytes:
    head = b"Content-Type: message/rfc822\r\n\r\n"
    return header() + head * 20_000 + b"\r\n" + LOGIN


@hostile(Code.TOO_MANY_DOCUMENTS)
def letters_as_files_a_thousand_wide() -> bytes:
    inner = several(*(attached(f"{n}.eml", plain(b"x"), "message/rfc822") for n in range(300)))
    return several(*(attached(f"{n}.eml", inner, "message/rfc822") for n in range(50)))


@hostile()
def a_boundary_on_every_line() -> bytes:
    lines = b"--b-\r\n--bb\r\n-b\r\n" * 700_000
    return header() + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + lines


@hostile()
def a_header_of_twenty_four_megabytes() -> bytes:
    line = b"X-Filler: " + b"y" * 900 + b"\r\n"
    return header(extra=line * (24 * MB // len(line))) + b"\r\n" + LOGIN


@hostile()
def one_header_line_of_twenty_four_megabytes() -> bytes:
    return header(extra=b"X-Filler: " + b"y" * (24 * MB) + b"\r\n") + b"\r\n" + LOGIN


@hostile(Code.LETTER_TOO_LARGE)
def a_header_over_the_limit() -> bytes:
    line = b"X-Filler: " + b"y" * 900 + b"\r\n"
    return header(extra=line * (26 * MB // len(line))) + b"\r\n" + LOGIN


@hostile()
def a_million_fields() -> bytes:
    return header(extra=b"A:b\r\n" * 1_000_000) + b"\r\n" + LOGIN


@hostile()
def a_field_folded_a_million_times() -> bytes:
    return header(extra=b"References: <a@b>\r\n" + b" <a@b>\r\n" * 1_000_000) + b"\r\n" + LOGIN


@hostile()
def a_subject_of_a_megabyte() -> bytes:
    return plain(LOGIN, subject=b"a" * MB)


@hostile()
def a_subject_of_encoded_words() -> bytes:
    return plain(LOGIN, subject=b"=?utf-8?B?0J/QsNGA0L7Qu9GM?=\r\n " * 30_000)


@hostile()
def a_subject_of_words_never_ended() -> bytes:
    return plain(LOGIN, subject=b"=?utf-8?Q?" * 100_000)


@hostile()
def a_sender_of_quotes_never_closed() -> bytes:
    quoted = '"' + "\\\\" * 100_000
    return header(sender=f"{quoted} <{SENDER}>") + b"\r\n" + LOGIN


@hostile()
def a_thousand_senders() -> bytes:
    return (
        header(sender=", ".join(f"<{n}@primer.example>" for n in range(100_000))) + b"\r\n" + LOGIN
    )


@hostile()
def a_type_of_parameters() -> bytes:
    pieces = b"".join(b"; name*%d*=utf-8''%%D0" % n for n in range(20_000))
    return header(extra=b"Content-Type: text/plain" + pieces + b"\r\n") + b"\r\n" + LOGIN


@hostile()
def a_parameter_of_backslashes() -> bytes:
    kind = b'Content-Type: text/plain; name="' + b'\\"' * 200_000
    return header(extra=kind + b"\r\n") + b"\r\n" + LOGIN


@hostile()
def nul_bytes_in_headers() -> bytes:
    return plain(LOGIN, subject=b"a\0b\0\r\n\0: x\r\nX\0Y: z")


@hostile()
def controls_and_surrogates_in_headers() -> bytes:
    word = base64.b64encode("\ud800\u202eтема\r\nBcc: a@b.example".encode("utf-8", "surrogatepass"))
    return plain(LOGIN, subject=b"=?utf-8?B?" + word + b"?= =?utf-7?Q?+2AA-?=")


# Bodies.


@hostile()
def a_body_of_labels() -> bytes:
    return plain("Пароль: ".encode() * 500_000)


@hostile()
def a_body_of_labels_on_lines() -> bytes:
    return plain("Код: 1\r\nПароль: x\r\n".encode() * 300_000)


@hostile()
def a_body_of_different_passwords() -> bytes:
    lines = (f"Код: {100000000000 + n}\r\nПароль: secret-{n}\r\n" for n in range(100_000))
    return plain("".join(lines).encode())


@hostile()
def a_body_of_tabs_and_labels() -> bytes:
    return plain("Код\t".encode() * 500_000 + b"\r\n" + b"1\t" * 500_000)


@hostile()
def a_body_of_quotes() -> bytes:
    return plain(b">" * 5 * MB + b"\r\n> > >" * 500_000)


@hostile()
def a_body_of_senders() -> bytes:
    return plain("От: а\r\n".encode() * 1_000_000)


@hostile()
def a_body_of_one_line_of_blanks() -> bytes:
    return plain(LOGIN + b" " * 10 * MB + b"x")


@hostile()
def a_body_of_no_break_blanks() -> bytes:
    return plain("Пароль".encode() + "\u00a0".encode() * 5_000_000 + b":x")


@hostile()
def a_body_of_dashes() -> bytes:
    return plain(b"-" * 5 * MB + b"\r\n" + b"-- " * 1_000_000)


@hostile()
def a_body_of_brackets() -> bytes:
    return plain("Пароль (".encode() * 300_000 + b"(" * 300_000)


@hostile()
def a_body_that_begins_documents() -> bytes:
    return plain(b"<a b" * 2_000_000 + b"\r\n<a =" * 500_000)


@hostile()
def html_of_tags_never_closed() -> bytes:
    return plain(b"<div><b><table><tr><td>" * 400_000 + LOGIN, b"text/html")


@hostile()
def html_of_quotes_in_quotes() -> bytes:
    return plain(b'<div class="gmail_quote"><blockquote>' * 100_000 + LOGIN, b"text/html")


@hostile()
def html_of_attributes() -> bytes:
    inside = b" ".join(b"a%d=%d" % (n, n) for n in range(500_000))
    return plain(b"<div " + inside + b">" + LOGIN, b"text/html")


@hostile()
def html_of_comments() -> bytes:
    return plain(LOGIN + b"<!--" * 1_000_000 + b"<![CDATA[" * 300_000, b"text/html")


@hostile()
def html_of_entities() -> bytes:
    return plain(b"&nbsp;&#1055;&#x110000;&amp" * 300_000 + LOGIN, b"text/html")


@hostile()
def html_of_a_style_without_end() -> bytes:
    return plain(LOGIN + b"<style><script>" + b"a{b:c}</style" * 500_000, b"text/html")


@hostile()
def html_of_a_thousand_bodies() -> bytes:
    part = b"Content-Type: text/html\r\n\r\n" + b"<p>x" * 5000
    return several(BODY, *([part] * 900))


@hostile()
def quoted_printable_of_soft_breaks() -> bytes:
    head = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable"
    return header(extra=head + b"\r\n") + b"\r\n" + b"=\r\n=D0=" * 2_000_000


@hostile()
def base64_of_a_million_bad_lines() -> bytes:
    head = b"Content-Type: text/xml; name=a.xml\r\nContent-Transfer-Encoding: base64"
    return header(extra=head + b"\r\n") + b"\r\n" + b"QUJD*\r\n" * 3_000_000


@hostile(Code.TOO_COSTLY)
def uuencode_without_end() -> bytes:
    head = b"Content-Type: text/xml; name=a.xml\r\nContent-Transfer-Encoding: x-uuencode"
    return header(extra=head + b"\r\n") + b"\r\nbegin 644 a\r\n" + b"M!!\r\n" * 3_000_000


# Other containers.


def tnef(*objects: tuple[int, int, bytes]) -> bytes:
    made = bytearray(struct.pack("<LH", 0x223E9F78, 1))
    for level, name, content in objects:
        head = struct.pack("<BLL", level, name, len(content))
        made += head + content + struct.pack("<H", sum(content) & 0xFFFF)
    return bytes(made)


@hostile(Code.UNREADABLE_DOCUMENT)
def winmail_of_a_hundred_thousand_objects() -> bytes:
    return carrying("winmail.dat", tnef(*([(2, 0x00069002, bytes(14))] * 100_000)))


@hostile()
def winmail_that_lies_about_lengths() -> bytes:
    lie = struct.pack("<BLL", 2, 0x0006800F, 0xFFFFFFFF) + b"x" * 100
    return carrying("winmail.dat", struct.pack("<LH", 0x223E9F78, 1) + lie * 1000)


@hostile()
def winmail_of_a_million_properties() -> bytes:
    properties = (
        struct.pack("<L", 0xFFFFFFFF) + struct.pack("<HHL", 0x1F, 0x3001, 0x7FFFFFFF) * 1000
    )
    return carrying("winmail.dat", tnef((1, 0x00069003, properties), (2, 0x00069005, properties)))


@hostile()
def winmail_cut_off() -> bytes:
    whole = tnef((2, 0x00069002, bytes(14)), (2, 0x0006800F, b"<a/>" * 1000))
    return several(BODY, *(attached(f"{n}.dat", whole[:n]) for n in range(6, 900, 7)))


@hostile()
def smime_of_open_ends() -> bytes:
    return carrying("smime.p7m", b"\x30\x80" * 2_000_000, "application/pkcs7-mime")


@hostile()
def smime_of_a_million_pieces() -> bytes:
    kind, data = (bytes.fromhex(f"06092a864886f70d01070{n}") for n in (2, 1))
    pieces = b"\x24\x80" + b"\x04\x01x" * 1_000_000 + b"\0\0"
    carried = b"\x30\x80" + data + b"\xa0\x80" + pieces + b"\0\0" * 2
    content = b"\x30\x80" + kind + b"\xa0\x80\x30\x80\x02\x01\x01\x31\0" + carried + bytes(6)
    return carrying("smime.p7m", content, "application/pkcs7-mime")


# Many small parts, whose costs add up.


def parts(count: int, head: str, content: bytes = b"x") -> bytes:
    """Credentials and so many parts beside them."""
    return several(BODY, *[head.encode("latin-1") + b"\r\n\r\n" + content] * count)


def _directory(*names: bytes) -> bytes:
    """A zip that is nothing but a directory."""
    made = bytearray()
    for name in names:
        made += b"PK\1\2" + struct.pack("<6H3L", 20, 20, 0, 0, 0, 33, 0, 0, 0)
        made += struct.pack("<5H2L", len(name), 0, 0, 0, 0, 0, 0) + name
    head = b"PK\3\4" + bytes(26)
    end = struct.pack("<4H2LH", 0, 0, len(names), len(names), len(made), len(head), 0)
    return head + bytes(made) + b"PK\5\6" + end


@hostile(Code.TOO_MANY_DOCUMENTS)
def office_files_of_long_directories() -> bytes:
    packed = _directory(b"mimetype", *[b"%d" % number for number in range(1900)])
    return parts(150, "Content-Type: a/b; name=a.docx", packed)


@hostile(Code.TOO_MANY_DOCUMENTS)
def workbooks_of_long_directories() -> bytes:
    packed = _directory(b"xl/a", *[b"%d" % number for number in range(1900)])
    return parts(49, "Content-Type: a/b; name=a.xlsx", packed)


@hostile(Code.TOO_MANY_DOCUMENTS)
def gzips_of_members() -> bytes:
    return parts(900, "Content-Type: a/b; name=a.gz", gzip.compress(b"", mtime=0) * 1000)


@hostile()
def bodies_of_rtf() -> bytes:
    return parts(49, "Content-Type: text/rtf", b"{\\rtf1 " + b"{" * 120_000 + b"}" * 120_000 + b"}")


@hostile(Code.TOO_MANY_DOCUMENTS)
def names_in_no_charset() -> bytes:
    name = bytes(range(160, 255)).decode("latin-1") * 10
    return parts(900, f'Content-Type: a/b; name="{name}"')


@hostile(Code.TOO_MANY_DOCUMENTS)
def parameters_in_many_parts() -> bytes:
    return parts(900, "Content-Type: a/b" + ";name=a" * 3000)


@hostile(Code.TOO_MANY_DOCUMENTS)
def signed_files_of_pieces() -> bytes:
    kind = bytes.fromhex("06092a864886f70d010702")
    message = b"\x30\x80" + kind + b"\xa0\x80\x30\x80" + b"\x04\x00" * 4000
    return parts(900, "Content-Type: a/b; name=a.p7m", message)


@hostile()
def charsets_that_nobody_knows() -> bytes:
    fields = (
        b"List-Id: " + b" ".join(b"=?x%d-%d?q?=E0?=" % (n, m) for m in range(60)) + b"\r\n"
        for n in range(700)
    )
    return header(extra=b"".join(fields)) + b"\r\n" + LOGIN


@hostile()
def senders_at_long_domains() -> bytes:
    address = "a@" + "\u044f" * 60 + "." + "x" * 64
    field = b"Reply-To: " + ",".join([address] * 12).encode() + b"\r\n"
    return header(extra=field * 500) + b"\r\n" + LOGIN


@hostile()
def passwords_beside_shortened_names() -> bytes:
    logins = "".join(f"Код: {n}00000\nПароль: {n}" + '&"<' * 60 + "\n" for n in range(50))
    body = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + logins.encode()
    named = b"Content-Type: a/b; name=" + b"n" * 190 + "\u2026.bin".encode() + b"\r\n\r\nx"
    return several(body, *[named] * 900)


@hostile()
def a_report_of_blocks() -> bytes:
    status = b"Content-Type: message/delivery-status\r\n\r\n" + b"a: b\n\n" * 40_000
    body = b"".join(b"--b\r\n" + part + b"\r\n" for part in [status] * 90)
    kind = b'Content-Type: multipart/report; boundary="b"\r\n\r\n'
    return header(sender="mailer-daemon@x.example") + kind + body + b"--b--"


@hostile()
def files_in_a_text_far_below() -> bytes:
    return plain(b"x" * 4 * MB + b"\n" + b"begin 644 x\n#86)C\n" * 80_000)


@hostile()
def multiparts_of_one_another_and_lines_like_boundaries() -> bytes:
    inside = (b"--" + b"a" * 60 + b"\n") * 300_000
    for level in range(49):
        boundary = b"a" * 60 + b"%d" % level
        kind = b'Content-Type: multipart/mixed; boundary="' + boundary + b'"\r\n\r\n'
        inside = kind + b"--" + boundary + b"\r\n" + inside + b"\r\n--" + boundary + b"--\r\n"
    return header() + inside


@hostile()
def declarations_of_nothing() -> bytes:
    return plain(b"<?xml?>\n" * 500_000)


@hostile(Code.TOO_MANY_DOCUMENTS)
def a_body_that_declares_many_documents() -> bytes:
    return plain((DECLARATION + b'<a b="1">\n') * 300_000)


@hostile()
def html_that_declares_many_documents() -> bytes:
    return plain(b"&lt;?xml version=&quot;1.0&quot;?&gt;<br>" * 200_000, b"text/html")


@hostile()
def html_of_long_entities() -> bytes:
    return plain((b"&" + b"a" * 1000 + b";&#" + b"1" * 1000 + b";") * 4_500 + LOGIN, b"text/html")


@hostile()
def html_of_entities_in_entities() -> bytes:
    """Where a file may stand encoded, they are resolved."""
    return plain(b"&amp;amp;lt;" * 800_000 + b"\nbegin 644 a\n" + LOGIN, b"text/html")


@hostile()
def bodies_in_no_charset() -> bytes:
    return parts(49, "Content-Type: text/plain", bytes(range(128, 256)) * 1900)


@hostile()
def nothing_at_all() -> bytes:
    return b""


@hostile()
def nothing_but_nul_bytes() -> bytes:
    return bytes(5 * MB)


@hostile()
def every_byte_in_turn() -> bytes:
    return bytes(range(256)) * 20_000


@hostile()
def nothing_but_line_ends() -> bytes:
    return header() + b"\r\n" + b"\r\n" * 5_000_000


@hostile()
def html_of_nothing_but_line_ends() -> bytes:
    return plain(b"\n" * 10_000_000 + LOGIN, b"text/html")


@hostile()
def text_that_begins_many_files() -> bytes:
    return plain(b"begin 644 a\n" * 1_500_000)


@hostile()
def text_of_links_without_end() -> bytes:
    return plain(b"https://aa.aa.aa." * 900_000)


@hostile(Code.TOO_MANY_DOCUMENTS)
def letters_in_letters_in_base64() -> bytes:
    inside = b"x" * MB
    kind = b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    while len(inside) < 16 * MB:
        inside = kind + base64.encodebytes(inside)
    return header() + inside
