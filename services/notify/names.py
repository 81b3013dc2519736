"""What an application's rule pack calls the exam and the items."""

from typing import Any

from services.notify.texts import Bilingual, Names

# Of the submission's version of the pack; before that, or while that version is unknown here, of the newest.
NAMES_OF_APPLICATION = """
    LEFT JOIN LATERAL (
        SELECT p.pack->'exam' AS exam,
               (SELECT jsonb_object_agg(i.key, i.value->'title') FROM jsonb_each(p.pack->'items') i) AS titles
        FROM packs p WHERE p.pack_id = a.pack_id
        ORDER BY (p.version = a.pack_version) DESC NULLS LAST, p.version DESC LIMIT 1
    ) names ON true
"""


def names_from(exam: dict[str, Any] | None, titles: dict[str, Any] | None) -> Names:
    """Names out of a pack's JSON; the defaults where there is no pack."""
    if exam is None:
        return Names()
    return Names(
        Bilingual(exam["zh"], exam["en"]),
        {code: Bilingual(title["zh"], title["en"]) for code, title in (titles or {}).items()},
    )
