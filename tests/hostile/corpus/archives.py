"""Archives and XML documents that hurt their reader."""

from __future__ import annotations

import base64
import gzip
import struct

from layouts.findings import Code
from tests.hostile.corpus.making import (
    BODY,
    CODE,
    DECLARATION,
    MB,
    archive,
    attached,
    carrying,
    hostile,
    repeated,
    several,
    zeros,
    zipped,
)
from tests.hostile.quine import quine

# Archives.


@hostile(Code.UNPACKS_TOO_LARGE)
def zip_bomb() -> bytes:
    return carrying("a.zip", archive(("a.xml", *zeros(400))))


@hostile(Code.UNPACKS_TOO_LARGE, Code.UNREADABLE_DOCUMENT)
def zip_bomb_that_states_ten_bytes() -> bytes:
    packed, crc, _ = zeros(400)
    return carrying("a.zip", archive(("a.xml", packed, crc, 10)))


@hostile(Code.UNPACKS_TOO_LARGE)
def zip_bomb_of_many_files() -> bytes:
    one = zeros(1)
    return carrying("a.zip", archive(*((f"{n}.txt", *one) for n in range(1900))))


@hostile()
def zip_nested_thirty_deep() -> bytes:
    content = zipped(("a.xml", b"<a/>"))
    for _ in range(30):
        content = zipped(("inner.zip", content))
    return carrying("a.zip", content)


@hostile(Code.UNPACKS_TOO_LARGE, Code.TOO_MANY_DOCUMENTS)
def zip_nested_sixteen_wide() -> bytes:
    """The shape of 42.zip: sixteen in each, down to files of zeros."""
    content = archive(("0.txt", *zeros(64)))
    for _ in range(5):
        content = zipped(*((f"{n}.zip", content) for n in range(16)))
    return carrying("42.zip", content)


@hostile(Code.UNPACKS_TOO_LARGE, Code.UNREADABLE_DOCUMENT)
def zip_of_overlapping_files() -> bytes:
    return carrying("a.zip", archive(("a.txt", *zeros(1)), copies=1900))


@hostile()
def zip_that_holds_itself() -> bytes:
    return carrying("a.zip", quine())


@hostile(Code.TOO_MANY_DOCUMENTS)
def zip_of_sixty_thousand_empty_files() -> bytes:
    return carrying("a.zip", archive(*((f"{n}", b"\3\0", 0, 0) for n in range(60_000))))


@hostile(Code.TOO_MANY_DOCUMENTS)
def zip_of_thousands_of_documents() -> bytes:
    return carrying("a.zip", zipped(*((f"{n}.xml", b"<a/>") for n in range(1900))))


@hostile(Code.TOO_MANY_DOCUMENTS, Code.UNREADABLE_DOCUMENT)
def zip_of_archives_with_long_directories() -> bytes:
    inner = archive(*((f"{n}", b"\3\0", 0, 0) for n in range(1900)))
    packed = repeated(inner, 1)
    return carrying("a.zip", archive(*((f"{n}.zip", *packed) for n in range(300))))


@hostile(Code.UNPACKS_TOO_LARGE)
def gzip_bomb() -> bytes:
    packed, crc, size = zeros(400)
    head = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    return carrying("a.xml.gz", head + packed + struct.pack("<2L", crc, size))


@hostile(Code.UNPACKS_TOO_LARGE)
def gzip_in_gzip() -> bytes:
    packed, crc, size = zeros(400)
    content = b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + packed + struct.pack("<2L", crc, size)
    return carrying("a.gz", gzip.compress(gzip.compress(content)))


@hostile(Code.UNREADABLE_DOCUMENT)
def gzip_of_a_million_members() -> bytes:
    return carrying("a.gz", gzip.compress(b"") * 700_000)


# XML.


def xml_of(text: str) -> bytes:
    return carrying("a.xml", text.encode())


@hostile(Code.FORBIDDEN_CONTENT)
def billion_laughs() -> bytes:
    lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return xml_of(f'<!DOCTYPE p [<!ENTITY l0 "ha">{lines}]><package class="52005">&l9;</package>')


@hostile(Code.FORBIDDEN_CONTENT)
def quadratic_blow_up() -> bytes:
    text = "a" * 100_000
    return xml_of(f'<!DOCTYPE p [<!ENTITY a "{text}">]><p>{"&a;" * 50_000}</p>')


@hostile(Code.FORBIDDEN_CONTENT)
def external_entity() -> bytes:
    return xml_of(
        '<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        '<package class="52005" sender_name="x">&x;</package>'
    )


@hostile(Code.FORBIDDEN_CONTENT)
def external_dtd() -> bytes:
    return xml_of('<!DOCTYPE p SYSTEM "http://127.0.0.1:1/a.dtd"><package class="52005"/>')


@hostile(Code.FORBIDDEN_CONTENT)
def doctype_in_utf_16() -> bytes:
    text = '<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]><p>&x;</p>'
    return carrying("a.xml", text.encode("utf-16"))


@hostile(Code.UNREADABLE_DOCUMENT, Code.FORBIDDEN_CONTENT, Code.UNKNOWN_LAYOUT)
def doctype_in_utf_7() -> bytes:
    text = "+ADwAIQ-DOCTYPE p [+ADwAIQ-ENTITY x SYSTEM 'file:///etc/passwd'+AD4AXQA+"
    return carrying("a.xml", f"<?xml version='1.0' encoding='utf-7'?>{text}<p>&x;</p>".encode())


@hostile(Code.UNREADABLE_DOCUMENT, Code.UNKNOWN_LAYOUT, Code.TOO_COSTLY)
def xml_of_a_million_attributes() -> bytes:
    attributes = " ".join(f'a{n}=""' for n in range(1_000_000))
    return xml_of(f'<package class="52005" {attributes}/>')


@hostile(Code.UNREADABLE_DOCUMENT, Code.TOO_COSTLY)
def xml_a_hundred_thousand_deep() -> bytes:
    return xml_of("<a>" * 100_000 + "</a>" * 100_000)


@hostile(Code.UNKNOWN_LAYOUT, Code.TOO_COSTLY)
def xml_of_a_million_elements() -> bytes:
    return xml_of("<a>" + "<b/>" * 2_500_000 + "</a>")


@hostile(Code.UNREADABLE_DOCUMENT, Code.TOO_COSTLY, Code.UNKNOWN_LAYOUT)
def xml_of_a_million_namespaces() -> bytes:
    names = "".join(f'<b xmlns:n{n}="u{n}"><n{n}:c/></b>' for n in range(200_000))
    return xml_of(f"<a>{names}</a>")


@hostile(Code.UNREADABLE_DOCUMENT, Code.TOO_COSTLY)
def xml_of_one_text_of_twelve_megabytes() -> bytes:
    return xml_of(f'<package class="52005">{"a" * (12 * MB - 100)}</package>')


@hostile(Code.TOO_COSTLY)
def xml_of_comments_never_closed() -> bytes:
    return xml_of("<package>" + "<!--" * 2_500_000)


@hostile(Code.TOO_COSTLY)
def xml_of_processing_instructions() -> bytes:
    return xml_of("<?a?>" * 2_000_000)


@hostile(Code.UNREADABLE_DOCUMENT)
def xml_declaration_of_blanks() -> bytes:
    return xml_of(" " * 5_000_000 + "<?xml " * 500_000)


@hostile(Code.UNREADABLE_DOCUMENT, Code.TOO_COSTLY)
def xml_of_unclosed_tags() -> bytes:
    return xml_of("<a " * 3_000_000)


@hostile(Code.UNREADABLE_DOCUMENT, Code.UNKNOWN_LAYOUT)
def xml_of_undefined_entities() -> bytes:
    return xml_of("<a>" + "&x;" * 1_000_000 + "</a>")


@hostile(Code.UNREADABLE_DOCUMENT)
def xml_of_entities_of_many_signs() -> bytes:
    return xml_of("<a>" + ("&" + "x" * 1000 + ";") * 9_000 + "</a>")


@hostile(Code.UNSUPPORTED_VERSION)
def xml_of_entities_in_an_attribute() -> bytes:
    return xml_of('<package class="52006" version="' + "&amp;" * 1_800_000 + '"/>')


@hostile(Code.TOO_COSTLY)
def xml_of_declarations() -> bytes:
    return carrying("a.xml", DECLARATION * 400_000, "text/xml")


@hostile(Code.UNPACKS_TOO_LARGE)
def xml_of_a_hundred_megabytes_in_a_zip() -> bytes:
    line = b'<consumption date_time="2026110100" energy="0"/>\n' * 21_000
    return carrying("a.zip", archive(("a.xml", *repeated(line, 95))))


def document(rows: str, about: str = "") -> bytes:
    return xml_of(
        f'<package class="52005" version="1" sender_code="{CODE}" created="20261120090000"'
        f" {about}>{rows}</package>"
    )


def hour(value: str, moment: str = "2026110100") -> str:
    return f'<consumption date_time="{moment}" energy="{value}"/>'


@hostile(Code.INVALID_NUMBER)
def gigantic_numbers() -> bytes:
    digits = "9" * 1_000_000
    values = ("1e999999999", "-1e999999999", "1e-999999999", digits, f"0.{digits}", "١٢٣", "NaN")
    return document("".join(map(hour, (*values, "inf", "1_000", "0x10", "1" * 5000))))


@hostile(Code.TOO_MANY_DIGITS, Code.TOO_COSTLY)
def fifty_thousand_gigantic_numbers() -> bytes:
    return document(hour("9" * 100) * 50_000)


@hostile(Code.INVALID_TIME, Code.INVALID_DATE)
def dates_far_away() -> bytes:
    moments = ("0000010100", "0001010100", "9999123123", "99991231235959", "2026023000", "9" * 99)
    return document("".join(hour("1", moment) for moment in moments), 'sender_name="x"')


@hostile(Code.MISSING_INTERVAL, Code.READING_IN_FUTURE, Code.INVALID_TIME, Code.TOO_COSTLY)
def an_hour_of_each_of_a_thousand_years() -> bytes:
    moments = (f"{year:04}010100" for year in range(1000, 3000))
    return document("".join(hour("1", moment) for moment in moments))


# Which of the two depends on what the child has read before.
@hostile(Code.TOO_COSTLY, Code.DUPLICATE_INTERVAL)
def one_hour_two_hundred_thousand_times() -> bytes:
    return document(hour("1") * 200_000)


@hostile(Code.TOO_COSTLY)
def twenty_thousand_points() -> bytes:
    day = "<period start='0000' end='0030'><value>1</value></period>"
    points = "".join(
        f"<measuringpoint code='{n}'><measuringchannel code='01'>{day}</measuringchannel>"
        "</measuringpoint>"
        for n in range(20_000)
    )
    return xml_of(
        "<message class='80020' version='2' number='1'><datetime><timestamp>20261120090000"
        "</timestamp><daylightsavingtime>0</daylightsavingtime><day>20261119</day></datetime>"
        "<sender><inn>3300000001</inn><name>x</name></sender><area timezone='1'>"
        f"<inn>3300000001</inn><name>x</name>{points}</area></message>"
    )


@hostile(Code.UNREADABLE_DOCUMENT)
def nul_bytes_in_xml() -> bytes:
    return carrying("a.xml", b"<package class='52005' sender_code='\0\0\0'>" + bytes(1000))


@hostile(Code.UNREADABLE_DOCUMENT)
def lone_surrogates_in_xml() -> bytes:
    half = "<package class='52005' sender_name='\ud800'/>".encode("utf-8", "surrogatepass")
    return carrying("a.xml", half + "<a>\udfff</a>".encode("utf-16-le", "surrogatepass"))


@hostile()
def bidi_controls_everywhere() -> bytes:
    turned = "\u202e\u2066gpj.\u200fxml\u202c"
    body = f'<package class="52005" version="1" sender_name="{turned}" sender_code="{turned}"/>'
    name = base64.b64encode(f"{turned}.xml".encode()).decode()
    return several(BODY, attached(f"=?utf-8?B?{name}?=", body.encode()))


# More documents.


@hostile(Code.TOO_COSTLY)
def moments_that_are_none() -> bytes:
    return document(hour("1", "2026119900") * 140_000)


@hostile(Code.TOO_COSTLY)
def elements_that_nobody_knows() -> bytes:
    return document("".join(f"<x{n}/>" for n in range(140_000)))


@hostile(Code.TOO_COSTLY)
def a_meter_of_ninety_thousand_readings() -> bytes:
    one = '<reading channel="A+" zone="T1" date_time="2026111510" value="12345.67"/>'
    meter = f'<meter number="07512345" point="200000001234-01">{one * 90_000}</meter>'
    return xml_of(
        f'<package class="52006" version="1" sender_code="{CODE}" created="20261120091500">'
        f"{meter}</package>"
    )


@hostile()
def fifty_bodies_of_labels() -> bytes:
    part = b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
    return several(*[part + "Код: 1\r\nПароль: x\r\n".encode() * 8000] * 50)


@hostile()
def a_name_of_encoded_words() -> bytes:
    name = "=?utf-8?B?0J/QsNGA0L7Qu9GM?= " * 10_000
    return several(BODY, attached(name + ".xml", b"<a/>"))


@hostile()
def names_in_pieces() -> bytes:
    pieces = b"".join(b"; filename*%d*=%%D0%%9F" % n for n in range(5_000))
    part = b"Content-Type: text/xml\r\nContent-Disposition: attachment" + pieces + b"\r\n\r\n<a/>"
    return several(BODY, *[part] * 40)


@hostile()
def message_of_outlook() -> bytes:
    return carrying("a.msg", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 8 * MB)
