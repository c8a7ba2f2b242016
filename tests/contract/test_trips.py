"""Letters announced by one process and brought to their verdicts by others."""

import inspect
import threading
import time
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import event
from structlog.testing import capture_logs

from ingest.engine import jobs as engine_jobs
from ingest.engine import spread
from ingest.engine.announce import Announcer
from ingest.engine.fair import HEAVY_SECONDS, Turns
from ingest.engine.spread import QueueMissing, SpreadQueue
from ingest.engine.trips import UNSEEN, Idle, Outdated, Present, Trip, Trips, into_trips, sweep
from ingest.engine.work import TRIP_BYTES, TRIP_LETTERS
from ingest.intake.authenticate import UNPROVEN, Claims, Guard, Origin, Proof
from ingest.letters.terms import Outcome, Read
from ingest.transports.ports import CLAIM_BYTES
from storage.records.letters import LetterState
from tests.fakes import FakeClock, FakeIntake, FakeMailbox, FakeReader, letter_of, mail

ROOM = 1_000_000


class FakeQueue:
    """Jobs in memory: those that nobody has begun, in their order."""

    def __init__(self):
        self.todo = {}
        self.made = 0
        self.is_stopped = False

    def defer(self, _connection, trips):
        numbers = range(self.made + 1, self.made + len(trips) + 1)
        self.todo |= dict(zip(numbers, trips, strict=True))
        self.ranks = [trip.rank for trip in trips]
        self.made += len(trips)
        return list(numbers)

    def take_newest(self, _connection, rank):
        jobs = [job for job, trip in self.todo.items() if trip.rank >= rank]
        return self.todo.pop(max(jobs)).numbers if jobs else []

    def drop_stalled(self, _connection, _jobs):
        return 0

    def idle(self, connection):
        rows = connection.execute("SELECT id, source, held, job FROM arrival WHERE outcome IS NULL")
        return [Idle(*row[:3]) for row in rows.fetchall() if row[3] not in self.todo]

    def serve(self, work, side_by_side):
        """Everything that is to do, one after the other."""
        assert side_by_side == 1
        while self.todo and not self.is_stopped:
            first = min(self.todo, key=lambda job: (self.todo[job].rank, job))
            work(replace(self.todo.pop(first), job=first))

    def stop(self):
        self.is_stopped = True

    def lose(self):
        """Every job, as if the workers that had them were dead."""
        self.todo.clear()


class House:
    """A fetcher and workers on one database."""

    def __init__(self, ledger, queue):
        self.ledger, self.queue = ledger, queue
        self.mailbox, self.intake, self.clock = FakeMailbox(), FakeIntake(), FakeClock()
        self.reader = FakeReader()

    def fetch(self, room=ROOM, **options):
        given = self.ledger, self.queue, self.clock, self.intake, room
        return Announcer(self.mailbox, *given, **options).once()

    def worker(self):
        told = lambda *_: None  # noqa: E731 - nobody is told
        return Trips(self.reader, self.ledger, self.queue, self.intake, self.clock, told)

    def work(self):
        self.queue.serve(lambda trip: self.worker().work(trip), 1)

    def sweep(self):
        sweep(self.ledger, self.queue, self.intake)

    def waiting(self):
        with self.ledger.reading() as store:
            return store.arrivals.waiting()

    def letters(self):
        with self.ledger.reading() as store:
            return store.letters.find()


@pytest.fixture
def house(ledger):
    return House(ledger, FakeQueue())


def test_a_letter_stays_where_it_arrived_until_it_has_its_verdict(house):
    [uid] = house.mailbox.put(mail("first"))
    house.fetch()
    assert uid in house.mailbox.letters
    assert house.waiting().letters == 1
    house.work()
    assert house.waiting() == replace(house.waiting(), letters=0, held=0)
    passed = house.fetch()
    assert passed.outcomes == {Outcome.ACCEPTED: 1}
    assert house.mailbox.filed == [("accepted", uid)]
    with house.ledger.reading() as store:
        assert store.arrivals.of_source("main") == {}


def test_a_worker_that_hangs_with_a_trip_is_stuck_until_it_gets_on(house, monkeypatch):
    monkeypatch.setattr(engine_jobs, "STUCK_SECONDS", 0.0)
    house.mailbox.put(mail("first"))
    house.fetch()
    worker, hangs, let_go = house.worker(), threading.Event(), threading.Event()
    read = house.reader.read

    def hanging(letters):
        hangs.set()
        let_go.wait(20)
        return read(letters)

    house.reader.read = hanging
    assert not worker.is_stuck()
    thread = threading.Thread(target=house.queue.serve, args=[worker.work, 1])
    thread.start()
    assert hangs.wait(20)
    assert worker.is_stuck()
    let_go.set()
    thread.join()
    assert not worker.is_stuck()


def test_what_is_under_way_is_fetched_once(house):
    house.mailbox.put(mail("first"))
    house.fetch()
    house.fetch(holder="another fetcher whose lease this one's was")
    assert house.queue.made == 1


def test_a_job_that_is_lost_is_made_again_and_the_letter_recorded_once(house):
    house.mailbox.put(mail("first"), mail("second"))
    house.fetch()
    house.queue.lose()
    house.sweep()
    trips = dict(house.queue.todo)
    house.work()
    # The one that was taken for dead comes late.
    for trip in trips.values():
        house.worker().work(trip)
    assert sorted(house.intake.received) == ["first", "second"]
    house.sweep()
    assert house.queue.todo == {}


def test_a_fault_of_ours_is_tried_again_by_other_trips_and_quarantined_after_three(house):
    def fail():
        raise ValueError("of ours")

    house.intake.on["bad"] = fail
    house.mailbox.put(mail("bad"), mail("good"))
    house.fetch()
    for _ in range(4):
        house.work()
        house.sweep()
    states = {row.state for row in house.letters()}
    assert states == {LetterState.QUARANTINED, LetterState.DONE}
    assert house.waiting().held == 0
    house.fetch()
    assert sorted(outcome for outcome, _ in house.mailbox.filed) == ["accepted", "quarantined"]


def test_a_mailbox_made_anew_with_trips_under_way_records_each_letter_once(house):
    house.mailbox.put(mail("first"), mail("second"))
    house.fetch()
    trips = dict(house.queue.todo)
    house.mailbox.uidvalidity += 1
    house.fetch()
    house.work()
    assert trips
    assert sorted(house.intake.received) == ["first", "second"]
    house.fetch()
    assert sorted(house.mailbox.filed) == [("accepted", 1), ("accepted", 2)]
    with house.ledger.reading() as store:
        assert store.arrivals.of_source("main") == {}


def test_no_more_is_fetched_than_there_is_room_for_and_that_is_told(house):
    house.mailbox.put(mail("first"))
    house.fetch()
    house.mailbox.put(mail("second"))
    with capture_logs() as logs:
        passed = house.fetch(room=1)
    assert not passed.whole
    assert [line["event"] for line in logs] == ["arrivals.full"]
    assert house.waiting().letters == 1
    house.work()
    house.fetch(room=1)
    assert house.waiting().letters == 1


def test_a_disk_that_is_full_of_raw_letters_leaves_them_on_the_mail_server(house):
    house.mailbox.put(*(mail(name) + b"x" * 200_000 for name in ("first", "second")))
    with out_of_room(house.ledger), pytest.raises(ConnectionError, match="full"):
        house.fetch()
    assert (house.waiting().letters, len(house.mailbox.letters), house.queue.todo) == (0, 2, {})
    house.fetch()
    house.work()
    assert sorted(house.intake.received) == ["first", "second"]


@contextmanager
def out_of_room(ledger):
    """No raw letter has room any more: SQLite may not grow, PostgreSQL says that it cannot."""
    if ledger.many_write:
        refusing = (
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'disk full' USING ERRCODE = '53100'; END $$;"
            "CREATE TRIGGER full_disk BEFORE INSERT ON arrival EXECUTE FUNCTION full_disk()"
        )
        with psycopg.connect(ledger.libpq_url) as connection:
            connection.execute(refusing)
        yield
        with psycopg.connect(ledger.libpq_url) as connection:
            connection.execute("DROP FUNCTION full_disk CASCADE")
        return

    def fill(connection, _record):
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 20}")

    event.listen(ledger._engine, "connect", fill)
    ledger._engine.dispose()
    yield
    ledger.close()


def test_a_trip_has_eight_letters_of_one_source_and_no_more_than_2_mb():
    many = [Idle(number, "main", 1000) for number in range(20)]
    large = [Idle(number, "other", TRIP_BYTES // 2) for number in range(20, 25)]
    trips = [trip.numbers for trip in into_trips([*many, *large])]
    assert [len(trip) for trip in trips] == [8, 8, 4, 2, 2, 1]
    assert [number for trip in trips for number in trip] == list(range(25))
    oversized = [Idle(1, "main", 2 * TRIP_BYTES), Idle(2, "main", 1)]
    assert [trip.numbers for trip in into_trips(oversized)] == [[1], [2]]


@pytest.mark.parametrize("before", [CLAIM_BYTES - 40, 3 * CLAIM_BYTES])
def test_a_from_that_stands_far_below_hides_nobody(house, before):
    house.reader = Costly()
    padding = b"X-Padding: " + b"x" * before + b"\r\n"
    house.mailbox.put(*(padding + mail(f"heavy {n}", "a@heavy.example") for n in range(20)))
    house.mailbox.put(mail("light", "b@light.example"))
    house.fetch()
    house.work()
    # One trip may be recorded before it is known what it cost.
    assert house.intake.received.index("light") <= TRIP_LETTERS


class Proving(FakeIntake):
    """Holds those for proven who say so in the subject."""

    def prove(self, read, *, afresh=False):
        if "proven" not in read.letter.subject:
            return UNPROVEN
        return Proof(Claims(("200000003079",), (), ("a password",)), Origin(""), is_right=True)


def has_cost(house, domain, seconds):
    turns = Turns(house.ledger)
    turns.charge("", f"a@{domain}", seconds)
    turns.save()


def test_letters_of_who_has_cost_much_go_behind_the_others_the_newest_with_the_oldest(house):
    heavy = [mail(f"heavy {number}", f"a{number}@heavy.example") for number in range(5)]
    has_cost(house, "heavy.example", 2 * HEAVY_SECONDS)
    house.mailbox.put(*heavy, mail("light", "b@light.example"))
    house.fetch()
    assert house.queue.ranks == [0, UNSEEN]
    # And those that are given another job as well.
    house.queue.lose()
    house.sweep()
    assert house.queue.ranks == [0, UNSEEN]
    house.work()
    assert house.queue.ranks == [UNSEEN + 2] * 5
    assert house.intake.received == ["light", *(f"heavy {number}" for number in (0, 4, 1, 3, 2))]


@pytest.mark.parametrize("is_known", [False, True])
def test_an_honest_address_does_not_wait_behind_who_forges_its_domain(house, is_known):
    # All of them are queued before anybody has cost anything.
    forged = [mail(f"forged {number}", f"t{number}@owner.example") for number in range(40)]
    house.intake = Proving()
    house.mailbox.put(*forged, mail("proven", "buh@owner.example"))
    if is_known:
        has_cost(house, "owner.example", 2 * HEAVY_SECONDS)
    house.fetch()
    has_cost(house, "owner.example", 2 * HEAVY_SECONDS)
    house.work()
    assert house.intake.received[0] == "proven"
    assert len(house.intake.received) == 41


def test_who_becomes_costly_with_trips_under_way_leaves_them_to_the_others(house):
    heavy = [mail(f"heavy {number}", "a@heavy.example") for number in range(20)]
    house.mailbox.put(*heavy, mail("light", "b@light.example"))
    house.fetch()
    has_cost(house, "heavy.example", 2 * HEAVY_SECONDS)
    house.work()
    first, *behind = house.intake.received
    assert first == "light"
    assert behind[:4] == ["heavy 0", "heavy 19", "heavy 1", "heavy 18"]
    assert sorted(behind) == sorted(f"heavy {number}" for number in range(20))


class Costly(FakeReader):
    """Every letter takes ten seconds of CPU time.

    Attributes:
        seconds: Taken so far.
    """

    seconds = 0.0

    def read_together(self, letters):
        return [self._read(raw) for raw in letters]

    def _read(self, raw):
        future = self.read(raw)
        if not raw.words_only:
            self.seconds += 10.0
            future = Future()
            future.set_result(Read(letter_of(raw.content), (), 10.0))
        return future


@pytest.mark.parametrize("between", [None, 30.0])
def test_behind_a_forger_of_his_own_address_an_owner_waits_a_minute_at_most(house, between):
    # No word of his letter proves him: it looks as the forger's do, of which more may come.
    house.reader = Costly()
    sender, came, later = "buh@owner.example", None, 0
    house.mailbox.put(*(mail(f"forged {number}", sender) for number in range(100)))
    house.fetch()
    answered = {}

    def work(trip):
        nonlocal came, later
        house.worker().work(trip)
        for subject in house.intake.received:
            answered.setdefault(subject, house.reader.seconds)
        if came is None and len(answered) >= 20:
            came = house.reader.seconds
            house.mailbox.put(mail("owner's", sender))
        if came is not None and between and house.reader.seconds - came > (later + 1) * between:
            later += 1
            house.mailbox.put(mail(f"later {later}", sender))
        house.fetch()

    house.queue.serve(work, 1)
    waited = answered["owner's"] - came
    print(f"an owner whose address is forged, one more each {between} s: {waited:.1f} s")
    assert waited <= 60
    # Nor does the one that waits longest wait for ever: of two, one is in its order.
    forged = [subject for subject in house.intake.received if "forged" in subject]
    assert forged.index("forged 15") <= 35


@pytest.mark.parametrize("is_known", [False, True])
@pytest.mark.parametrize("per_second", [0.1, 2])
def test_behind_who_forges_his_address_an_owner_is_next_where_our_mail_server_disproves_it(
    house, per_second, is_known
):
    # However fast the forger goes on.
    house.reader, sender = Costly(), "buh@owner.example"
    house.intake.guard = Guard(trusted_authserv_id="mx.ours")
    if is_known:
        with house.ledger.transaction() as store:
            store.senders.succeeded("200000003079", sender, house.clock())
    disproved = b"Authentication-Results: mx.ours; dmarc=fail header.from=owner.example\r\n"
    ranks, sent, came = set(), 0, None

    def forge(until):
        nonlocal sent
        forged = [disproved + mail(f"forged {n}", sender) for n in range(sent, round(until))]
        sent += len(forged)
        if forged:
            house.mailbox.put(*forged)
            house.fetch()
            if house.reader.seconds > 2 * HEAVY_SECONDS:
                ranks.update(house.queue.ranks)

    def work(trip):
        nonlocal came
        forge(20 + house.reader.seconds * per_second)
        if came is None and len(house.intake.received) >= 10:
            came = house.reader.seconds
            house.mailbox.put(mail("owner's", sender))
            house.fetch()
            assert house.queue.ranks == [0]
        house.worker().work(trip)
        if "owner's" in house.intake.received:
            house.queue.stop()

    forge(20)
    house.queue.serve(work, 1)
    assert house.reader.seconds - came <= 60
    # What is forged is put behind the others when it comes.
    assert ranks == {UNSEEN}


@pytest.mark.parametrize(("newer", "older"), [("1.10.0", "1.9.3"), ("2.0", "1.99.99")])
def test_a_process_of_an_older_version_is_refused_with_a_sentence(house, newer, older):
    with house.ledger.transaction() as store:
        store.arrivals.beat("other:1:2", "work", newer)
    with pytest.raises(Outdated, match=rf"this is version {older}, and work other:1:2 of version"):
        Present(house.ledger, "work", older).beat()
    with house.ledger.reading() as store:
        assert [one.version for one in store.arrivals.processes()] == [newer]


def test_a_process_goes_on_beside_one_of_its_own_or_an_older_version(house):
    with house.ledger.transaction() as store:
        store.arrivals.beat("other:1:2", "work", "1.0.0")
    for version in ("1.0.0", "1.0.1"):
        Present(house.ledger, "fetch", version).beat()
    with house.ledger.reading() as store:
        assert [one.role for one in store.arrivals.processes()] == ["fetch", "work"]


# The queue itself, which is PostgreSQL's.


@pytest.fixture
def queue(on_postgresql):
    made = SpreadQueue(on_postgresql.libpq_url)
    assert made.prepare()
    yield made
    with psycopg.connect(on_postgresql.libpq_url, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {spread.SCHEMA} CASCADE")


@pytest.fixture
def spread_house(on_postgresql, queue):
    return House(on_postgresql, queue)


def serve(house, until, side_by_side=2):
    """Work on trips until something is true."""
    thread = threading.Thread(target=house.queue.serve, args=[house.worker().work, side_by_side])
    thread.start()
    end = time.monotonic() + 30
    while not until() and time.monotonic() < end:
        time.sleep(0.02)
    house.queue.stop()
    thread.join()
    assert until()


def jobs(house):
    with psycopg.connect(house.ledger.libpq_url) as connection:
        found = connection.execute(
            f"SELECT id, args, status::text FROM {spread.SCHEMA}.procrastinate_jobs ORDER BY id"
        )
        return found.fetchall()


def test_the_queue_is_made_once_and_of_one_version(queue, on_postgresql):
    queue.check()
    assert not queue.prepare()
    with psycopg.connect(on_postgresql.libpq_url) as connection:
        connection.execute(f"COMMENT ON SCHEMA {spread.SCHEMA} IS 'procrastinate 2.9'")
    with pytest.raises(QueueMissing, match=r"is of procrastinate 2\.9: run `ingest migrate --clu"):
        queue.check()
    assert queue.prepare()


def test_without_tables_the_queue_says_what_to_do(on_postgresql):
    with pytest.raises(QueueMissing, match="does not exist yet: run `ingest migrate --cluster`"):
        SpreadQueue(on_postgresql.libpq_url).check()


def begin(house, job):
    """Mark a job as one that a worker has begun."""
    with psycopg.connect(house.ledger.libpq_url) as connection:
        connection.execute(f"SET search_path TO {spread.SCHEMA}")
        connection.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s", [job])


def test_jobs_carry_numbers_only_and_come_and_go_with_the_transaction(spread_house):
    house = spread_house
    house.mailbox.put(*(mail(f"letter {number}") for number in range(10)))
    house.fetch()
    assert [len(job[1]["arrivals"]) for job in jobs(house)] == [8, 2]
    assert all(isinstance(one, int) for job in jobs(house) for one in job[1]["arrivals"])
    assert [set(job[1]) for job in jobs(house)] == [{"arrivals", "rank"}] * 2
    with house.ledger.rehearsal() as undone, undone.transaction() as store:
        assert len(house.queue.defer(store.arrivals.connection, [Trip([1], 1), Trip([2])])) == 2
    assert len(jobs(house)) == 2


def test_trips_are_worked_on_and_leave_no_job_behind(spread_house):
    house = spread_house
    house.mailbox.put(*(mail(f"letter {number}") for number in range(20)))
    house.fetch()
    serve(house, lambda: not house.waiting().letters and not jobs(house))
    assert sorted(house.intake.received) == sorted(f"letter {number}" for number in range(20))


def test_the_newest_job_of_a_rank_or_behind_it_that_nobody_has_begun_is_taken(spread_house):
    house = spread_house
    trips = [Trip([1]), Trip([2], 3), Trip([3], 5), Trip([4], 2), Trip([5], 5)]
    with house.ledger.transaction() as store:
        made = house.queue.defer(store.arrivals.connection, trips)
    begin(house, made[4])
    with house.ledger.transaction() as store:
        taken = [house.queue.take_newest(store.arrivals.connection, 3) for _ in range(3)]
    assert taken == [[3], [2], []]
    assert [job[1]["arrivals"] for job in jobs(house)] == [[1], [4], [5]]


def test_costly_letters_are_worked_on_the_newest_with_the_oldest_and_none_is_left(spread_house):
    house = spread_house
    house.mailbox.put(*(mail(f"heavy {number}", "a@heavy.example") for number in range(9)))
    house.fetch()
    has_cost(house, "heavy.example", 2 * HEAVY_SECONDS)
    serve(house, lambda: not house.waiting().letters and not jobs(house), side_by_side=1)
    assert house.intake.received[:4] == ["heavy 0", "heavy 8", "heavy 1", "heavy 7"]
    assert sorted(house.intake.received) == sorted(f"heavy {number}" for number in range(9))


def test_a_trip_of_a_worker_that_is_no_more_goes_to_another_one(spread_house):
    house = spread_house
    house.mailbox.put(mail("first"))
    house.fetch()
    [(job, _args, _status)] = jobs(house)
    begin(house, job)
    house.sweep()
    [(again, _args, status)] = jobs(house)
    assert (again, status) == (job + 1, "todo")
    house.sweep()
    assert len(jobs(house)) == 1
    serve(house, lambda: not house.waiting().letters)
    assert house.intake.received == ["first"]


def test_what_our_worker_of_jobs_overrides_is_there_to_override():
    # A private method of procrastinate's: a release without it would undo the mend in silence.
    assert inspect.iscoroutinefunction(spread.Worker._persist_job_status)
