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

    async def rules_for(self, session: AsyncSession, application: Application) -> Rules:
        """The version that the application is bound to, or the newest.

        Raises:
            Unavailable: no version has arrived yet.
        """
        version = application.pack_version or await session.scalar(
            text("SELECT max(version) FROM packs WHERE pack_id = :id"), {"id": application.pack_id}
        )
        if version is None:
            raise Unavailable(
                "rules-not-published",
                "本考区的材料清单尚未发布，请稍后再试。",
                "The region's rules have not been published yet. Come back later.",
                retry_after_s=30,
            )
        known = self._rules.get((application.pack_id, version))
        if known is None:
            content: Any = await session.scalar(
                text("SELECT content FROM packs WHERE pack_id = :id AND version = :version"),
                {"id": application.pack_id, "version": version},
            )
            pack = Pack.model_validate(json.loads(content) if isinstance(content, str) else content)
            known = self._rules[application.pack_id, version] = Rules(pack)
        return known

    async def checklist_for(self, session: AsyncSession, application: Application) -> Checklist:
        """What this candidate must hand in."""
        rules = await self.rules_for(session, application)
        return rules.checklist(Facts.model_validate(application.facts))
