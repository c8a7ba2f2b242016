"""Operators of the console: who they are, and what they sign in with."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from storage.records.access import Operator, OperatorRole
from storage.session import Part
from storage.tables.access import OPERATOR


class Operators(Part):
    """One row an operator; switched off, never deleted: the audit names them."""

    def named(self, name: str) -> Operator | None:
        """The operator of this name, switched off or not."""
        return self._one(OPERATOR.c.name == name)

    def numbered(self, number: int) -> Operator | None:
        """The operator of this number, switched off or not."""
        return self._one(OPERATOR.c.id == number)

    def all(self, since: str = "", limit: int | None = None) -> list[Operator]:
        """Every operator by name, beginning with one; at most so many."""
        by_name = select(OPERATOR).where(OPERATOR.c.name >= since).order_by(OPERATOR.c.name)
        return [_operator(row) for row in self._connection.execute(by_name.limit(limit))]

    def keep(
        self,
        name: str,
        role: OperatorRole,
        password_hash: str,
        totp_secret: str | None,
        who: str,
        now: datetime,
        *,
        anew: bool,
    ) -> bool:
        """Make an operator, or give one that is there all of this anew; False: nothing is done.

        Args:
            name: By which it signs in.
            role: What it may do.
            password_hash: Of its password.
            totp_secret: In Base32; None: its password is enough.
            who: Who makes it.
            now: When.
            anew: Also one that is let in; else only one that is switched off.
        """
        values = {
            "role": role, "password_hash": password_hash, "totp_secret": totp_secret,
            "totp_step": 0, "active": True, "made_by": who, "made_at": now,
        }  # fmt: skip
        kept = (
            self._insert(OPERATOR)
            .values(name=name, **values)
            .on_conflict_do_update(
                index_elements=["name"], set_=values, where=None if anew else ~OPERATOR.c.active
            )
        )
        # Of an INSERT the driver of PostgreSQL counts no rows.
        return self._connection.scalar(kept.returning(OPERATOR.c.id)) is not None

    def administering(self) -> set[str]:
        """Names of those who administer and are let in, held for the transaction."""
        found = select(OPERATOR.c.name).where(
            OPERATOR.c.role == OperatorRole.ADMINISTERS, OPERATOR.c.active
        )
        return {*self._connection.scalars(found.with_for_update())}

    def switch_off(self, name: str) -> bool:
        """Let an operator in no more; False: there is none such that is let in."""
        changed = self._connection.execute(
            OPERATOR.update().where(OPERATOR.c.name == name, OPERATOR.c.active).values(active=False)
        )
        return bool(changed.rowcount)

    def use_code(self, number: int, step: int) -> bool:
        """Take a code of the second factor; False: it, or a later one, was taken before."""
        changed = self._connection.execute(
            OPERATOR.update()
            .where(OPERATOR.c.id == number, OPERATOR.c.totp_step < step)
            .values(totp_step=step)
        )
        return bool(changed.rowcount)

    def _one(self, condition: Any) -> Operator | None:
        row = self._connection.execute(select(OPERATOR).where(condition)).one_or_none()
        return None if row is None else _operator(row)


def _operator(row: Any) -> Operator:
    return Operator(
        row.id, row.name, OperatorRole(row.role), row.password_hash, row.totp_secret,
        row.active, row.made_by, row.made_at,
    )  # fmt: skip
