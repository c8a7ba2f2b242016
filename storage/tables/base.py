"""What every table has: one metadata, and names of constraints that never change."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import MetaData
from sqlmodel import SQLModel


class Kept(SQLModel):
    """Base of every table; its own metadata keeps other libraries' tables out."""

    metadata: ClassVar[MetaData] = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )


BY_KEY = {"sqlite_with_rowid": False}
"""SQLite clusters rows by their key: half the size, and a span lies in one place."""


def table_of(model: type[Kept]) -> Any:
    """The Core table of a model; statements are written with Core."""
    return model.metadata.tables[str(model.__tablename__)]
