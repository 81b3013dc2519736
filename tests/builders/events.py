"""Events as other services tell them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import yaml

from shared import clock
from shared.contracts.event import Person
from shared.contracts.facts import Facts
from shared.contracts.registration import RegistrationRecorded
from shared.contracts.review import ReturnedItem, ReviewDecided, ReviewFeedback, ReviewPublished
from shared.contracts.rules import Pack, RulesPublished, Window
from shared.contracts.validation import Finding, MaterialChecked
from shared.security.sealing import KeyRing

_RULES = Path(__file__).parent.parent.parent / "rules"
PERSON = Person(name="测试甲", id_number="999999199001011238", phone="19900000001")
NOW = datetime(2021, 1, 20, 4, 0, tzinfo=UTC)


def a_pack(pack_id: str = "neimenggu-2021", version: int = 1, *, moved: bool = True) -> Pack:
    """A pack of the repo's own; unless `moved` is False its windows lie around today, so that uploading is possible."""
    content = yaml.safe_load((_RULES / f"{pack_id}.yaml").read_text(encoding="utf-8"))
    pack = Pack.model_validate(content | {"version": version})
    return _moved_to_today(pack) if moved else pack


def _moved_to_today(pack: Pack) -> Pack:
    window = pack.windows.upload
    if window is None:
        return pack
    into = min(timedelta(days=2), (window.closes - window.opens) / 2)
    by = clock.now() - window.opens_at - into
    # Whole days keep the hours of the region's document; a window of a few days is met in its middle.
    return pack.with_windows_moved(timedelta(days=round(by / timedelta(days=1))) if into.days >= 2 else by)


def with_windows(pack: Pack, **hours: tuple[float, float] | None) -> Pack:
    """The same rules with these windows, as hours from now: `upload=(-48, 24)` closes in a day; None takes one away."""
    now = clock.now().replace(tzinfo=None)
    windows = {
        name: None
        if given is None
        else Window(opens=now + timedelta(hours=given[0]), closes=now + timedelta(hours=given[1]), time_zone="UTC")
        for name, given in hours.items()
    }
    return pack.model_copy(update={"windows": pack.windows.model_copy(update=windows)})


def rules_published(version: int = 1, pack: Pack | None = None) -> RulesPublished:
    """The first pack, or the one given, is in force."""
    return RulesPublished(pack=pack or a_pack(version=version))


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
    image_ids: Sequence[UUID] = (),
    same_images_allowed: bool = False,
) -> ReviewFeedback:
    """Staff gave items back; the images at fault are each item's."""
    return ReviewFeedback(
        application_no=application_no,
        region="15",
        site="1501",
        feedback_id=uuid4(),
        round=round,
        revision=revision,
        tier=tier,
        items=tuple(
            ReturnedItem(
                item=item,
                image_ids=tuple(image_ids),
                reason_code="unreadable",
                words=words,
                same_images_allowed=same_images_allowed,
            )
            for item in items
        ),
        returned_at=datetime.now(UTC),
    )


def a_decision(
    application_no: str = "2021110001", *, revision: int = 1, outcome: str = "approved", tier: str = "region"
) -> ReviewDecided:
    """A tier came to a result."""
    return ReviewDecided(
        application_no=application_no,
        region="15",
        site="1501",
        round=1,
        revision=revision,
        tier=tier,
        outcome=outcome,
        decided_at=datetime.now(UTC),
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
