"""The rule packs that review has heard of: every version, parsed once per process."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from shared.contracts.rules import Pack
from shared.errors import Unavailable


class Shelf:
    """Packs by id and version. A published version never changes, so none is ever thrown out."""

    def __init__(self) -> None:
        self._packs: dict[tuple[str, int], Pack] = {}

    async def find(self, session: AsyncSession, pack_id: str, version: int) -> Pack | None:
        """One version, or None while it has not arrived: its topic may be behind the submission's."""
        known = self._packs.get((pack_id, version))
        if known is None:
            columns = tables.packs.c
            row = (
                await session.execute(
                    select(columns.content, columns.reasons).where(
                        columns.pack_id == pack_id, columns.version == version
                    )
                )
            ).first()
            if row is None:
                return None
            reasons = _in_order(row.content["reasons"], row.reasons)
            known = self._packs[pack_id, version] = Pack.model_validate(row.content | {"reasons": reasons})
        return known

    async def get(self, session: AsyncSession, pack_id: str, version: int) -> Pack:
        """One version.

        Raises:
            Unavailable: it has not arrived yet.
        """
        pack = await self.find(session, pack_id, version)
        if pack is None:
            raise Unavailable(
                "rules-not-published",
                "该报名所用的材料规则尚未到达，请稍后再试。",
                "The rules of this application have not arrived yet. Try again in a moment.",
                retry_after_s=5,
            )
        return pack


def _in_order(reasons: dict[str, Any], order: Sequence[str]) -> dict[str, Any]:
    """The reasons as the pack has them: the frequent ones first, as its authors thought."""
    return {code: reasons[code] for code in order} | reasons
