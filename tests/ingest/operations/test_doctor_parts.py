"""Each thing that `doctor` tries, with every result that it can have."""

import shutil
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace as Some

import pytest

from ingest.operations import doctor
from ingest.operations.audit import Verified
from ingest.operations.doctor import Result

WHOLE = Verified(None, (), (), 2, 9, 4, "ab", datetime(2026, 11, 1, tzinfo=UTC), {}, 0)


def away(message="away", advice=None):
    fault = ConnectionError(message)
    if advice is not None:
        fault.advice = advice
    return fault


def raising(fault):
    def attempt(*_words, **_options):
        raise fault

    return attempt


@pytest.mark.parametrize(
    ("attempt", "code", "found", "advice"),
    [
        (lambda: ("there", 7), 0, "there", ""),
        (raising(away()), 3, "away", "check host"),
        (raising(away(advice="")), 3, "away", "check host"),
        (raising(away(advice="plug it in")), 3, "away", "plug it in"),
        (raising(ValueError("no such folder")), 1, "no such folder", "correct the configuration"),
    ],
)
def test_a_server_is_reached_or_away_or_configured_wrongly(attempt, code, found, advice):
    told, also = doctor._reached("smtp", attempt)
    assert also == (7 if code == 0 else None)
    assert (told.what, told.exit_code, told.found) == ("smtp", code, found)
    assert told.advice.startswith(advice)
    assert told.is_well is (code == 0)


GIB = 2**30


@pytest.mark.parametrize(
    ("total", "free", "is_well"),
    [
        (10 * GIB, GIB, True),
        (10 * GIB, GIB - 1, False),
        (100 * GIB, 5 * GIB, True),
        (100 * GIB, 5 * GIB - 1, False),
        (1000 * GIB, 50 * GIB, True),
        (1000 * GIB, 6 * GIB, False),
    ],
)
def test_a_disk_has_room_of_a_gibibyte_and_of_its_twentieth_part(
    tmp_path, monkeypatch, total, free, is_well
):
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: Some(total=total, free=free))
    told = doctor._room(tmp_path)
    assert (told.is_well, told.exit_code) == (is_well, 0 if is_well else 1)
    assert told.found == f"{tmp_path.resolve()}: {free / GIB:.1f} GiB free"


@pytest.mark.parametrize(
    ("changed", "found", "code"),
    [
        ({}, "9 rows under the last 2 seals are as they were", 0),
        (
            {"unsealed": {"audit": 2, "letter": 3}},
            "9 rows under the last 2 seals are as they were, 5 not sealed yet", 0,
        ),
        ({"broken": "row 3", "off": ("t1",)}, "row 3", 1),
        (
            {"off": ("t1", "t2"), "foreign": ("t3",)},
            "triggers that refuse nothing any more: t1, t2", 1,
        ),
        ({"foreign": ("t3", "t4")}, "on our tables, and not ours: t3, t4", 1),
    ],
)  # fmt: skip
def test_sealed_rows_are_whole_or_told_with_the_first_break(monkeypatch, changed, found, code):
    monkeypatch.setattr(doctor, "verify", lambda _ledger, last: replace(WHOLE, **changed))
    told = doctor._sealed(Some(ledger=None))
    assert (told.found, told.exit_code, told.is_well) == (found, code, not code)


def test_seals_of_a_database_that_went_away_are_a_server_away(monkeypatch):
    monkeypatch.setattr(doctor, "verify", raising(away()))
    assert doctor._sealed(Some(ledger=None)).exit_code == 3


@pytest.mark.parametrize(("days", "code"), [(29, 1), (31, 0), (-1, 1)])
def test_what_ends_is_told_a_while_before(days, code):
    app = Some(ending_within=timedelta(days=30))
    at = datetime.now(UTC) + timedelta(days=days)
    told = doctor._ends(app, "certificate", at, "renew it")
    assert (told.exit_code, told.advice) == (code, "renew it" if code else "")
    [certificate] = doctor._certificate(app, "smtp", at)
    assert (certificate.what, certificate.exit_code) == ("certificate of smtp", code)
    assert list(doctor._certificate(app, "smtp", None)) == []


@pytest.mark.parametrize(
    ("missing", "code", "found"),
    [
        ((), 0, "children that read letters can do nothing else"),
        (("landlock",), 1, "children that read letters are confined without landlock"),
        (("a", "b"), 1, "children that read letters are confined without a and b"),
        (None, 3, "away"),
    ],
)
def test_what_a_child_is_not_confined_by_is_named_and_the_child_ends(missing, code, found):
    ended = []
    tried = raising(away()) if missing is None else lambda: missing
    app = Some(sandbox=lambda: Some(missing=tried, close=lambda: ended.append(True)))
    told = doctor._confined(app)
    assert (told.exit_code, told.found, told.is_well) == (code, found, not code)
    assert ended == [True]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o670, 0o601, 0o602, 0o604])
def test_a_file_is_open_when_others_may_do_anything_with_it(tmp_path, mode):
    kept, tried = tmp_path / "kept", tmp_path / "tried"
    for file, bits in ((kept, 0o600), (tried, mode)):
        file.touch()
        file.chmod(bits)
    told = doctor._private([kept, tried])
    if mode & 7:
        assert (told.exit_code, told.found) == (1, f"others may use {tried}")
        assert told.advice.startswith(f"chmod o-rwx {tried}:")
    else:
        assert told == Result("modes", f"no other user may read {kept}, {tried}")
    assert doctor._private([]) == Result("modes", "no other user may read anything")


def test_passes_tell_of_a_clock_that_went_back_where_a_database_tells_of_passes():
    now = datetime.now(UTC)

    def app(*, is_new=False, is_current=True, ahead=0):
        passes = {"main": now + timedelta(seconds=ahead), "b": now - timedelta(days=9)}
        store = Some(installation=Some(status=lambda _now: Some(passes=passes)))
        ledger = Some(schema_is_current=lambda: is_current, reading=lambda: nullcontext(store))
        return Some(is_new_database=lambda: is_new, ledger=ledger)

    assert doctor._clock(app(ahead=100)).is_well
    told = doctor._clock(app(ahead=180))
    assert (told.is_well, told.exit_code) == (False, 1)
    assert f"but a pass ended at {(now + timedelta(seconds=180)).isoformat()}" in told.found
    assert doctor._clock(app(ahead=180, is_new=True)).is_well
    assert doctor._clock(app(ahead=180, is_current=False)).is_well
    assert doctor._clock(Some(is_new_database=raising(away()))).is_well


def test_an_smtp_server_tells_its_certificate_s_end_and_is_left():
    left = []
    postman = Some(
        greet=lambda: "knows 8BITMIME", certificate_ends=lambda: "soon",
        close=lambda: left.append(True),
    )  # fmt: skip
    app = Some(transports=Some(postman=lambda: postman))
    assert doctor._smtp(app) == ("knows 8BITMIME", "soon")
    postman.greet = raising(away())
    with pytest.raises(ConnectionError):
        doctor._smtp(app)
    assert left == [True, True]
    nobody = Some(transports=Some(postman=lambda: None))
    assert doctor._smtp(nobody) == ("not configured", None)


def test_a_log_goes_to_standard_error_or_into_a_folder_that_can_be_written_to(
    tmp_path, monkeypatch
):
    assert doctor._log("") == Result("log", "goes to standard error")
    file = str(tmp_path / "ingest.log")
    assert doctor._log(file) == Result("log", file)
    monkeypatch.setattr("os.access", lambda folder, _mode: folder != tmp_path)
    told = doctor._log(file)
    assert (told.exit_code, told.found) == (1, f"{tmp_path} cannot be written to")


def test_trust_names_the_server_whose_results_count():
    assert doctor._trust("mx.example").is_well
    assert (doctor._trust("").is_well, doctor._trust("").exit_code) == (False, 1)


ENTITY = Some(active=True, password_hash="x")


OFF = Some(active=False, password_hash=None)
WITHOUT = Some(active=True, password_hash=None)


@pytest.mark.parametrize(
    ("entities", "twins", "told"),
    [
        ([ENTITY, OFF], [], []),
        ([], [], [("empty", 1)]),
        ([ENTITY, WITHOUT, WITHOUT], [], [("2 entities have no password", 1)]),
        ([ENTITY], [Some(found="twice", advice="import it")], [("twice", 1)]),
        ([], [Some(found="twice", advice="x")], [("empty", 1), ("twice", 1)]),
    ],
)
def test_a_register_is_filled_with_entities_that_can_prove_themselves(
    monkeypatch, entities, twins, told
):
    store = Some(
        registry=Some(entities=lambda: entities),
        installation=Some(clock=lambda: None),
        append_only=Some(not_granted=list),
    )
    ledger = Some(schema_is_current=lambda: True, reading=lambda: nullcontext(store))
    app = Some(is_new_database=lambda: False, ledger=ledger)
    monkeypatch.setattr(doctor, "twins", lambda _ledger: twins)
    monkeypatch.setattr(doctor, "_written", lambda _app, count: Result("database", f"{count}"))
    monkeypatch.setattr(doctor, "_sealed", lambda _app: Result("audit", "whole"))
    database, audit, *register = doctor._database(app)
    assert (database.found, audit.found) == (f"{len(entities)}", "whole")
    assert [(one.found, one.exit_code) for one in register] == told
    assert [one.what for one in register] == ["register of points"] * len(told)


@pytest.mark.parametrize(
    ("changed", "found", "code"),
    [
        ({"is_new_database": lambda: True}, "does not exist yet", 1),
        ({"ledger": Some(reading=raising(away()))}, "away", 3),
        ({"is_new_database": raising(away())}, "away", 3),
    ],
)
def test_a_database_that_cannot_be_read_is_all_that_is_told_of_it(changed, found, code):
    [told] = doctor._database(Some(**{"is_new_database": lambda: False} | changed))
    assert (told.what, told.found, told.exit_code) == ("database", found, code)


def test_a_table_that_nothing_was_granted_on_is_told_and_nothing_else_is_tried():
    store = Some(append_only=Some(not_granted=lambda: ["seal", "audit"]))
    app = Some(is_new_database=lambda: False, ledger=Some(reading=lambda: nullcontext(store)))
    [told] = doctor._database(app)
    assert (told.found, told.exit_code) == ("this user may not read or add to seal, audit", 1)
