"""What an application's rule pack calls the exam, its places and the items, and the region's own words."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.notify.texts import Bilingual, Names, OwnWords
from shared.contracts.rules import Window

NAMED = ("exam", "titles", "region_name", "site_name", "phone", "messages", "windows")
"""The columns that `names_from` reads; all JSON."""
NAMES = ", ".join(f"names.{name}" for name in NAMED)
# Of the submission's version of the pack; before that, or while that version is unknown here, of the newest.
NAMES_OF_APPLICATION = """
    LEFT JOIN LATERAL (
        SELECT p.pack->'exam' AS exam,
               (SELECT jsonb_object_agg(i.key, i.value->'title') FROM jsonb_each(p.pack->'items') i) AS titles,
               p.pack->'region'->'name' AS region_name,
               (SELECT s->'name' FROM jsonb_array_elements(p.pack->'sites') s WHERE s->>'code' = a.site LIMIT 1)
                   AS site_name,
               p.pack->'contact'->'phone' AS phone,
               p.pack->'messages' AS messages,
               p.pack->'windows' AS windows
        FROM packs p WHERE p.pack_id = a.pack_id
        ORDER BY (p.version = a.pack_version) DESC NULLS LAST, p.version DESC LIMIT 1
    ) names ON true
"""


def names_from(row: Mapping[Any, Any]) -> Names:
    """Names out of a pack's JSON; the defaults where there is no pack."""
    exam = _text(row["exam"])
    if exam is None:
        return Names()
    return Names(
        exam,
        {code: Bilingual(title["zh"], title["en"]) for code, title in (row["titles"] or {}).items()},
        region=_text(row["region_name"]),
        site=_text(row["site_name"]),
        phone=row["phone"],
        own={
            about: OwnWords(inbox=_text(words.get("inbox")), sms=words.get("sms"))
            for about, words in (row["messages"] or {}).items()
        },
        closing={name: closes for name in ("upload", "review") if (closes := _closing(row["windows"], name))},
    )


def _closing(windows: Mapping[str, Any] | None, name: str) -> datetime | None:
    window = (windows or {}).get(name)
    return Window.model_validate(window).closes_at if window else None


def _text(content: Mapping[str, str] | None) -> Bilingual | None:
    return Bilingual(content["zh"], content["en"]) if content else None
