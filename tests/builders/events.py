"""Events as other services tell them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import yaml

from shared.contracts.event import Person
from shared.contracts.facts import Facts
from shared.contracts.registration import RegistrationRecorded
from shared.contracts.review import ReturnedItem, ReviewFeedback, ReviewPublished
from shared.contracts.rules import Pack, RulesPublished
from shared.contracts.validation import Finding, MaterialChecked
from shared.security.sealing import KeyRing

_RULES = Path(__file__).parent.parent.parent / "rules"
PERSON = Person(name="测试甲", id_number="999999199001011238", phone="19900000001")
NOW = datetime(2021, 1, 20, 4, 0, tzinfo=UTC)


def a_pack(pack_id: str = "neimenggu-2021", version: int = 1) -> Pack:
    """A pack of the repo's own."""
    content = yaml.safe_load((_RULES / f"{pack_id}.yaml").read_text(encoding="utf-8"))
    return Pack.model_validate(content | {"version": version})


def rules_published(version: int = 1) -> RulesPublished:
    """The first pack is in force."""
    return RulesPublished(pack=a_pack(version=version))


def a_registration(
    keys: KeyRing,
    application_no: str = "2021110001",
    *,
    revision: int = 1,
    person: Person = PERSON,
    facts: Facts | None = None,
    site: str = "1501",
) -> RegistrationRecorded:
    """A candidate of Inner Mongolia, 2021."""
    return RegistrationRecorded(
        application_no=application_no,
        registration_revision=revision,
        region="15",
        site=site,
        year=2021,
        pack_id="neimenggu-2021",
        facts=facts or Facts(),
        sealed=keys.seal("15", 2021, person),
    )


def a_check(
    image_id: UUID,
    application_no: str = "2021110001",
    item: str = "diploma",
    *,
    verdict: str = "accept",
    reason: str | None = None,
    check_no: int = 1,
) -> MaterialChecked:
    """Validation's word on an image."""
    code = reason or {"accept": "ok", "review": "blurred", "reject": "corrupt", "gone": "gone"}[verdict]
    findings = () if verdict == "accept" else (Finding(code=code, severity="reject"),)
    return MaterialChecked(
        application_no=application_no,
        item=item,
        image_id=image_id,
        sha256="0" * 64,
        check_no=check_no,
        verdict=verdict,
        reason=code,
        findings=findings,
        checked_at=NOW,
    )


def a_return(
    items: Sequence[str] = ("diploma",),
    application_no: str = "2021110001",
    *,
    round: int = 1,  # noqa: A002 the domain's word
    revision: int = 1,
    tier: str = "site",
    words: str = "毕业证编号无法辨认，请重新上传。",
) -> ReviewFeedback:
    """Staff gave items back."""
    return ReviewFeedback(
        application_no=application_no,
        region="15",
        site="1501",
        feedback_id=uuid4(),
        round=round,
        revision=revision,
        tier=tier,
        items=tuple(ReturnedItem(item=item, reason_code="unreadable", words=words) for item in items),
        returned_at=datetime.now(UTC),
    )


def a_publication(
    application_no: str = "2021110001",
    *,
    revision: int = 1,
    opinion: str = "approved",
    effective_at: datetime | None = None,
) -> ReviewPublished:
    """The region published its opinion."""
    return ReviewPublished(
        application_no=application_no,
        region="15",
        site="1501",
        publication_id=uuid4(),
        round=1,
        revision=revision,
        opinion=opinion,
        words="审核通过",
        effective_at=effective_at or datetime.now(UTC),
    )
