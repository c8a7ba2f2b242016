"""A child that was taken over can do nothing, and what it answers harms nobody."""

import ctypes
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from config.load import load
from config.settings import Settings, SettingsError
from ingest.demo.servers import PASSWORD, USER, ImapServer, SmtpServer
from ingest.operations.doctor import examine
from ingest.reading import ReaderFailed
from ingest.reading.child import SandboxConfig
from ingest.reading.children import Child
from ingest.reading.pool import ReaderUnavailable, SandboxReader
from ingest.wiring.service import Service
from layouts.findings import Code
from tests.end_to_end.installation import ROOT, Installation
from tests.end_to_end.servers import Account
from tests.fakes import mail
from tests.hostile.corpus import ordinary
from tests.ingest.reading.test_pool import raw
from tests.readers import ACTS, OBEY, begun


@pytest.fixture(scope="module")
def reader():
    reader = SandboxReader(SandboxConfig(workers=1, seconds=1.0, work=OBEY))
    yield reader
    reader.close()


def test_the_confinement_is_whole_on_this_machine(reader):
    assert list(reader.sandbox.missing()) == []


@pytest.mark.parametrize("act", ACTS)
def test_a_child_is_refused(reader, act):
    # A thread that is refused is no OSError.
    with pytest.raises(ReaderFailed, match=r"^(PermissionError|RuntimeError|OSError) at"):
        begun(reader, raw(mail(f"please {act}."))).result()


@pytest.mark.parametrize("answer", ["garbage", "a pickle", "a gigabyte", "slowly", "another"])
def test_an_answer_that_is_none_is_the_letters_fault_and_harms_nobody(reader, answer):
    read = begun(reader, raw(mail(f"please answer {answer}"))).result()
    assert [found.code for found in read.letter.findings] == [Code.TOO_COSTLY]
    assert begun(reader, raw(mail("next"))).result().letter.subject == "next"


def test_a_child_that_answers_nothing_is_too_costly(reader):
    read = begun(reader, raw(mail("please sleep"))).result()
    assert [found.code for found in read.letter.findings] == [Code.TOO_COSTLY]


@pytest.mark.parametrize("missing", [["landlock"], ["seccomp"], ["landlock", "seccomp"]])
@pytest.mark.parametrize("is_required", [True, False])
def test_where_a_part_is_lacking_the_rest_holds_unless_all_is_required(
    monkeypatch, missing, is_required
):
    ready = Child.ready

    def lacking(child):
        return type(ready(child))(ready(child).pid, missing)

    monkeypatch.setattr(Child, "ready", lacking)
    reader = SandboxReader(SandboxConfig(workers=1, require_confinement=is_required))
    try:
        assert reader.sandbox.missing() == missing
        if is_required:
            with pytest.raises(ReaderUnavailable, match=missing[0]):
                reader.start()
            with pytest.raises(ReaderUnavailable, match=missing[0]):
                begun(reader, raw(mail("first"))).result()
        else:
            reader.start()
            assert begun(reader, raw(mail("first"))).result().letter.subject == "first"
    finally:
        reader.close()


@pytest.fixture
def lacking_landlock(monkeypatch):
    ready = Child.ready
    monkeypatch.setattr(
        Child, "ready", lambda child: type(ready(child))(ready(child).pid, ["landlock"])
    )


def test_the_service_refuses_to_start_without_a_part_that_is_required(tmp_path, lacking_landlock):
    file = tmp_path / "ingest.toml"
    required = "[limits]\nrequire_confinement = true\n"
    file.write_text(f'[database]\nurl = "sqlite:///{tmp_path}/ingest.db"\n{required}')
    app = Service(load(file))
    app.ledger.migrate()
    with pytest.raises(SettingsError, match="require_confinement: the confinement lacks landlock"):
        app.parts_of("run")
    file.write_text(file.read_text().replace("true", "false"))
    Service(load(file)).parts_of("run").reader.close()


def test_doctor_says_what_the_confinement_lacks(tmp_path, lacking_landlock):
    app = Service(Settings())
    [told] = [one for one in examine(app) if one.what == "confinement"]
    assert not told.is_well
    assert "without landlock" in told.found


def test_doctor_says_that_the_confinement_is_whole(tmp_path):
    [told] = [one for one in examine(Service(Settings())) if one.what == "confinement"]
    assert told.is_well


def test_memory_of_the_service_is_read_by_no_process_of_the_same_user():
    """PR_GET_DUMPABLE and PR_SET_DUMPABLE; the passwords are in that memory."""
    prctl = ctypes.CDLL(None).prctl
    prctl(4, 1)
    assert prctl(3) == 1
    reader = SandboxReader(SandboxConfig(workers=1))
    reader.start()
    reader.close()
    assert prctl(3) == 0


class Obedient(Installation):
    """The service whose children do what letters say."""

    def start(self):
        command = [sys.executable, "-m", "tests.hostile.obedient_service"]
        command += ["--config", str(self.config), "run"]
        with (self.folder / "stderr").open("ab") as errors:
            self.process = subprocess.Popen(command, cwd=ROOT, stderr=errors, stdout=errors)
        return self.process


def test_the_child_of_the_running_service_can_do_nothing_and_the_service_goes_on(tmp_path):
    at = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    with ImapServer() as imap, SmtpServer(lambda _recipient, _content: None) as smtp:
        account = Account(port=imap.port, user=USER, password=PASSWORD)
        url = f"sqlite:///{tmp_path}/ingest.db"
        service = Obedient(tmp_path, url, account, smtp.port)
        with service.running():
            account.append(mail("please try all"), at=at)
            service.wait_until(lambda: "letter.failed" in service.told())
            account.append(ordinary(1), at=at)
            service.wait_until(lambda: "letter.accepted" in service.told())
        service.ledger.close()
    log = service.log.read_text()
    assert "reader.confined" in log
    assert "AllRefusedError at tests/readers.py" in log
    assert '"Did ' not in log
