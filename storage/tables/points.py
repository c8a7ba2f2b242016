"""The register of points: entities, points, meters, and what was true of them when."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import BigInteger, Table, UniqueConstraint
from sqlmodel import Field

from storage.columns import Clean, Micro, OpenDate, Words
from storage.tables.base import Kept, table_of


class LegalEntityTable(Kept, table=True):
    """An organisation that hands in readings."""

    __tablename__ = "legal_entity"
    __table_args__ = (UniqueConstraint("user_code"),)

    id: int | None = Field(default=None, primary_key=True)
    user_code: str = Field(sa_type=Clean)
    name: str = Field(default="", sa_type=Clean)
    inn: str = Field(default="", sa_type=Clean, index=True)
    addresses: tuple[str, ...] = Field(default=(), sa_type=Words)
    active: bool = True
    password_hash: str | None = None


class MeteringPointTable(Kept, table=True):
    """A place where energy is measured; area '' matches any area of a document."""

    __tablename__ = "metering_point"
    __table_args__ = (UniqueConstraint("code", "area"),)

    id: int | None = Field(default=None, primary_key=True)
    entity_id: int = Field(foreign_key="legal_entity.id", index=True)
    code: str = Field(sa_type=Clean)
    area: str = Field(default="", sa_type=Clean)
    name: str = Field(default="", sa_type=Clean)
    max_power_kw: Decimal | None = Field(default=None, sa_type=Micro, nullable=True)
    channels: tuple[str, ...] = Field(default=(), sa_type=Words)
    active: bool = True
    # What billing counts by: 'register', 'profile', 'both', or '' for what the point has.
    source: str = Field(default="")
    # 'constant' or 'timed', where the same figures day by day are no wonder.
    load: str = Field(default="")


class PointRowTable(Kept, table=True):
    """What is true of a point from a date on; the newest row stands in the point itself, too."""

    __tablename__ = "point_row"

    point_id: int = Field(primary_key=True, foreign_key="metering_point.id")
    # The Moscow midnight that `valid_from` begins with; 0 for "from the beginning".
    begins: int = Field(primary_key=True, sa_type=BigInteger)
    valid_from: date | None = None
    entity_id: int = Field(foreign_key="legal_entity.id", index=True)
    area: str = Field(default="", sa_type=Clean)
    max_power_kw: Decimal | None = Field(default=None, sa_type=Micro, nullable=True)
    active: bool = True
    source: str = Field(default="")


class MeterRowTable(Kept, table=True):
    """What is true of a meter from a date on; the newest row stands in the meter itself, too."""

    __tablename__ = "meter_row"

    meter_id: int = Field(primary_key=True, foreign_key="meter.id")
    begins: int = Field(primary_key=True, sa_type=BigInteger)
    valid_from: date | None = None
    number: str = Field(sa_type=Clean)
    digits: int | None = None
    decimals: int | None = None
    ratio: Decimal = Field(default=Decimal(1), sa_type=Micro)


class MeterTable(Kept, table=True):
    """A device at a point over a time; the same number may come back later."""

    __tablename__ = "meter"
    __table_args__ = (UniqueConstraint("point_id", "number", "installed"),)

    id: int | None = Field(default=None, primary_key=True)
    point_id: int = Field(foreign_key="metering_point.id")
    number: str = Field(sa_type=Clean, index=True)
    digits: int | None = None
    decimals: int | None = None
    ratio: Decimal = Field(default=Decimal(1), sa_type=Micro)
    installed: date | None = Field(default=None, sa_type=OpenDate, nullable=False)
    removed: date | None = None
    channels: tuple[str, ...] = Field(default=(), sa_type=Words)
    zones: tuple[str, ...] = Field(default=(), sa_type=Words)


ENTITY: Table = table_of(LegalEntityTable)
POINT: Table = table_of(MeteringPointTable)
METER: Table = table_of(MeterTable)
POINT_ROW: Table = table_of(PointRowTable)
METER_ROW: Table = table_of(MeterRowTable)
