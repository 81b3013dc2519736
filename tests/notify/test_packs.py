"""The words that the repository's own packs give a message can all be filled in, and their SMS are one part."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from services.notify import texts, wording
from services.notify.domain import About, Content, NamedItem
from services.notify.names import names_from
from services.notify.texts import SMS_PART
from shared.contracts.rules import Pack

RULES = Path(__file__).parent.parent.parent / "rules"
AT = datetime(2026, 3, 1, tzinfo=UTC)
ABOUTS: dict[str, tuple[About, dict[str, object]]] = {
    "submitted": ("submitted", {}),
    "returned": ("returned", {}),
    "image_failed": ("reopened", {"cause": "image_failed"}),
    "registration_changed": ("reopened", {"cause": "registration_changed"}),
    "withdrawn": ("withdrawn", {}),
    "deadline_near": ("deadline_near", {"deadline": AT, "hours_left": 24}),
    "lapsed": ("lapsed", {"deadline": AT, "was": "draft"}),
    "published": ("published", {"opinion": "approved"}),
}


@pytest.mark.parametrize("path", sorted(RULES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_message_of_a_pack_says_what_the_region_wrote(path: Path) -> None:
    pack = Pack.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    names = names_from(
        {
            "exam": pack.exam.model_dump(),
            "titles": {code: rule.title.model_dump() for code, rule in pack.items.items()},
            "region_name": pack.region.name.model_dump(),
            "site_name": pack.sites[0].name.model_dump(),
            "phone": pack.contact and pack.contact.phone,
            "messages": {about: words.model_dump() for about, words in pack.messages.items()},
            "windows": pack.windows.model_dump(mode="json"),
        }
    )
    items = tuple(NamedItem(item=code, words="请修改") for code in pack.ordered_items()[:2])

    for key in pack.messages.keys() & ABOUTS.keys():
        about, more = ABOUTS[key]
        content = Content.model_validate({"items": items if key in {"returned", "image_failed"} else ()} | more)
        if pack.messages[key].inbox is not None:
            ours = texts.text(about, 1, AT, content, names)
            assert wording.text(about, 1, AT, content, names) != ours, key
        if pack.messages[key].sms is not None:
            sms = wording.sms(about, 1, content, names)
            assert sms != texts.sms(about, 1, content, names), key
            assert len(sms) <= SMS_PART
