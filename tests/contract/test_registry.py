"""The register of points: what is stored is what was imported, and who changed it."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from layouts.points import Meter, MeteringPoint
from tests.contract.documents import (
    ENTITY,
    MONTH,
    NOW,
    OTHER,
    document,
    hand_in,
    import_all,
    reading,
    rolled_back,
)
from tests.registering import register

LATER = NOW + timedelta(days=1)


def entity(ledger, code=ENTITY.user_code):
    with ledger.reading() as store:
        return store.registry.entity(code)


def test_what_was_imported_comes_back_whole(ledger):
    report = import_all(ledger)

    assert report.added == (OTHER.user_code, ENTITY.user_code)
    assert entity(ledger) == ENTITY
    assert entity(ledger).points[1].meters[0].ratio == Decimal(40)
    assert all(point.id for point in entity(ledger).points)
    with ledger.reading() as store:
        assert store.registry.entities() == [OTHER, ENTITY]


def test_importing_the_same_again_changes_nothing(ledger):
    import_all(ledger)

    report = import_all(ledger)

    assert (report.added, report.changed, report.untouched) == ((), (), ())
    with ledger.reading() as store:
        assert len(store.audit.of("entity", ENTITY.user_code)) == 1


def test_what_is_not_mentioned_is_left_alone_and_told(ledger):
    import_all(ledger)
    only_one = replace(ENTITY, points=ENTITY.points[:1])

    report = import_all(ledger, only_one)

    assert (report.changed, report.untouched) == ((), (OTHER.user_code,))
    assert entity(ledger) == ENTITY


def test_a_change_is_told_and_kept_with_who_when_before_and_after(ledger):
    import_all(ledger)
    point = replace(ENTITY.points[0], max_power_kw=Decimal("200.25"))

    report = import_all(ledger, replace(ENTITY, active=False, points=(point,)))

    assert report.changed == (ENTITY.user_code,)
    stored = entity(ledger)
    assert not stored.active
    assert stored.points[0].max_power_kw == Decimal("200.25")
    with ledger.reading() as store:
        change = store.audit.of("point", point.code)[-1]
    assert (change.who, change.at) == ("operator", NOW)
    assert change.before["max_power_kw"] == "150.5"
    assert change.after["max_power_kw"] == "200.25"


def test_a_meter_that_is_replaced_stays_beside_its_successor(ledger):
    old = Meter("111", installed=date(2020, 3, 1))
    new = Meter("222", installed=date(2026, 11, 10), ratio=Decimal("1.5"))
    import_all(ledger, replace(ENTITY, points=(MeteringPoint("1", meters=(old,)),)))
    removed = replace(old, removed=date(2026, 11, 10))

    import_all(ledger, replace(ENTITY, points=(MeteringPoint("1", meters=(removed, new)),)))

    assert entity(ledger).points[0].meters == (removed, new)


def test_one_code_in_two_areas_is_two_points(ledger):
    points = (MeteringPoint("7", area="1"), MeteringPoint("7", area="2"), MeteringPoint("7"))
    import_all(ledger, replace(ENTITY, points=points))

    assert {point.area for point in entity(ledger).points} == {None, "1", "2"}


def test_a_point_moves_to_the_entity_that_names_it_now(ledger):
    import_all(ledger)
    moved = replace(OTHER, points=(*OTHER.points, ENTITY.points[0]))

    report = import_all(ledger, moved)

    assert set(report.changed) == {ENTITY.user_code, OTHER.user_code}
    assert ENTITY.points[0] not in entity(ledger).points
    assert ENTITY.points[0] in entity(ledger, OTHER.user_code).points
    with ledger.reading() as store:
        change = store.audit.of("point", ENTITY.points[0].code)[-1]
    assert change.before["entity"] == ENTITY.user_code
    assert change.after["entity"] == OTHER.user_code


def test_a_dry_run_is_an_import_that_is_rolled_back(ledger):
    with rolled_back(ledger) as store:
        assert register(store.registry, [ENTITY], "operator", NOW).added == (ENTITY.user_code,)

    assert entity(ledger) is None


def test_entities_are_found_by_taxpayer_number_while_active(ledger):
    import_all(ledger, ENTITY, replace(OTHER, inn=ENTITY.inn, active=False))

    with ledger.reading() as store:
        assert store.registry.entities_by_inn(ENTITY.inn) == [ENTITY]
        assert store.registry.entities_by_inn("1") == []


def test_a_code_that_lost_its_zeros_is_found_when_only_one_fits(ledger):
    import_all(ledger)
    with ledger.reading() as store:
        assert store.registry.entity("4711") is None
        assert store.registry.entity_without_zeros("4711") == OTHER
        assert store.registry.entity_without_zeros("47110") is None

    import_all(ledger, replace(OTHER, user_code="4711", points=()))
    with ledger.reading() as store:
        assert store.registry.entity_without_zeros("4711") is None


def test_a_password_is_kept_as_its_hash_and_its_change_audited_without_it(ledger):
    import_all(ledger)

    with ledger.transaction() as store:
        assert store.registry.set_password(OTHER.user_code, "$argon2id$x", "petrova", LATER)
        assert not store.registry.set_password("1", "$argon2id$x", "petrova", LATER)

    assert entity(ledger, OTHER.user_code).password_hash == "$argon2id$x"
    with ledger.reading() as store:
        changes = store.audit.of("password", OTHER.user_code)
    assert [(change.who, change.at) for change in changes] == [("petrova", LATER)]
    assert "argon2" not in repr(changes)


def test_an_import_without_passwords_keeps_those_that_are_set(ledger):
    import_all(ledger, replace(ENTITY, password_hash="$argon2id$x"))

    import_all(ledger, replace(ENTITY, name="ООО «Пример-2»"))

    assert entity(ledger).password_hash == "$argon2id$x"


def with_meters(*meters):
    return replace(ENTITY, points=(replace(ENTITY.points[1], meters=meters),))


def meters_of(ledger):
    with ledger.reading() as store:
        points = {point.code: point for point in store.registry.entity(ENTITY.user_code).points}
    return [(m.number, m.installed, m.removed) for m in points["200000001234-01"].meters]


def test_a_corrected_day_of_installation_is_the_same_meter(ledger):
    meter = ENTITY.points[1].meters[0]
    import_all(ledger, with_meters(meter))
    import_all(ledger, with_meters(replace(meter, installed=date(2020, 3, 1))))
    import_all(ledger, with_meters(replace(meter, installed=date(2020, 4, 1))))

    assert meters_of(ledger) == [("07512345", date(2020, 4, 1), None)]
    hand_in(ledger, document(reading("10"), layout="52006"))


def test_a_meter_that_comes_back_later_is_another_one(ledger):
    meter = ENTITY.points[1].meters[0]
    first = replace(meter, installed=date(2020, 3, 1), removed=date(2021, 3, 1))
    again = replace(meter, installed=date(2023, 3, 1))
    import_all(ledger, with_meters(first))
    import_all(ledger, with_meters(again))

    assert meters_of(ledger) == [
        ("07512345", date(2020, 3, 1), date(2021, 3, 1)),
        ("07512345", date(2023, 3, 1), None),
    ]


def test_readings_outside_of_a_meters_time_are_told_with_their_moments(ledger):
    import_all(ledger)
    for days in (0, 10):
        at = MONTH + timedelta(days=days)
        hand_in(ledger, document(reading(str(days + 1), at=at), layout="52006", created=days))
    meter = ENTITY.points[1].meters[0]

    def outside(**dates):
        stated = replace(meter, **dates)
        with ledger.reading() as store:
            return [
                moment
                for _, _, moment in store.registry.read_outside(
                    store.registry.plan([with_meters(stated)])
                )
            ]

    last = MONTH + timedelta(days=10)
    assert outside(removed=date(2026, 11, 9)) == [last]
    # Read at the midnight that ends the day of its removal.
    assert outside(removed=date(2026, 11, 10)) == []
    assert outside(installed=date(2026, 11, 2)) == [MONTH]
    assert outside(installed=date(2026, 11, 1)) == []
    assert outside() == []
