"""The rule packs that upload has heard of: every version, parsed and compiled once per process."""

import json
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.upload.checklist import Checklist, Rules
from services.upload.domain import Application
from shared.contracts.facts import Facts
from shared.contracts.rules import Pack
from shared.errors import Unavailable


class Shelf:
    """Compiled packs by id and version. A published version never changes, so none is ever thrown out."""

    def __init__(self) -> None:
        self._rules: dict[tuple[str, int], Rules] = {}

    def forget(self) -> None:
        """Read everything again: where the database was emptied under it."""
        self._rules.clear()

    async def versions(self, session: AsyncSession) -> dict[str, list[int]]:
        """Every version of every pack that arrived, oldest first."""
        rows = await session.execute(text("SELECT pack_id, version FROM packs ORDER BY pack_id, version LIMIT 10000"))
        found: dict[str, list[int]] = {}
        for row in rows:
            found.setdefault(row.pack_id, []).append(row.version)
        return found

    async def rules(self, session: AsyncSession, pack_id: str, version: int) -> Rules:
        """One version that has arrived."""
        known = self._rules.get((pack_id, version))
        if known is None:
            content: Any = await session.scalar(
                text("SELECT content FROM packs WHERE pack_id = :id AND version = :version"),
                {"id": pack_id, "version": version},
            )
            pack = Pack.model_validate(json.loads(content) if isinstance(content, str) else content)
            known = self._rules[pack_id, version] = Rules(pack)
        return known

    async def newest(self, session: AsyncSession, pack_id: str) -> int | None:
        """The newest version of a pack; None while none has arrived."""
        version: int | None = await session.scalar(
            text("SELECT max(version) FROM packs WHERE pack_id = :id"), {"id": pack_id}
        )
        return version

    async def version_for(self, session: AsyncSession, application: Application) -> int | None:
        """The version that the application is bound to, or the newest; None while none has arrived."""
        return application.pack_version or await self.newest(session, application.pack_id)

    async def rules_for(self, session: AsyncSession, application: Application) -> Rules:
        """The version that the application is bound to, or the newest.

        Raises:
            Unavailable: no version has arrived yet.
        """
        version = await self.version_for(session, application)
        if version is None:
            raise Unavailable(
                "rules-not-published",
                "本考区的材料清单尚未发布，请稍后再试。",
                "The region's rules have not been published yet. Come back later.",
                retry_after_s=30,
            )
        return await self.rules(session, application.pack_id, version)

    async def checklist_for(self, session: AsyncSession, application: Application) -> Checklist:
        """What this candidate must hand in."""
        rules = await self.rules_for(session, application)
        return rules.checklist(Facts.model_validate(application.facts))

    async def worked_out_before(self, session: AsyncSession, application: Application) -> Checklist | None:
        """The checklist of the version that the candidate last knew; None where that was none."""
        version = application.rules_version or application.pack_version
        if version is None:
            return None
        rules = await self.rules(session, application.pack_id, version)
        return rules.checklist(Facts.model_validate(application.facts))
