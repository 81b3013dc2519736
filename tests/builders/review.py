"""What review hears, ready made; every argument that a test does not care about has a value."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from shared.contracts.event import Person, Sealed
from shared.contracts.facts import Facts
from shared.contracts.notify import NoticeDelivered
from shared.contracts.registration import RegistrationRecorded
from shared.contracts.rules import ItemRule, Pack, ReadableField, Region, RulesPublished, Section, Site, Text
from shared.contracts.upload import (
    ApplicationLapsed,
    ApplicationReopened,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    HandedInImage,
    HandedInPhoto,
    ReopenedItem,
)
from shared.contracts.validation import (
    Box,
    Finding,
    MaterialChecked,
    MaterialRead,
    Reading,
    ReadText,
    SeenUnder,
)
from shared.security.sealing import KeyRing

NO = "15012021000001"
START = datetime(2021, 3, 1, 1, 0, tzinfo=UTC)
PERSON = Person(name="王小明", id_number="999999199001011234", phone="13800005678")


def words(zh: str) -> Text:
    return Text(zh=zh, en=zh)


def a_pack(version: int = 1) -> RulesPublished:
    def rule(title: str, **more: Any) -> ItemRule:
        return ItemRule(title=words(title), instruction=words("请上传"), **more)

    pack = Pack(
        id="neimenggu-2021",
        version=version,
        region=Region(code="15", name=words("内蒙古考区")),
        year=2021,
        exam=words("国家医师资格考试"),
        sites=(Site(code="1501", name=words("呼和浩特考点")), Site(code="1502", name=words("包头考点"))),
        sections=(
            Section(title=words("身份证明"), items=("identity",)),
            Section(title=words("学历"), items=("diploma", "other", "photo_prints")),
        ),
        items={
            "identity": rule("有效身份证明", required_when="true", min=3, max=3),
            "diploma": rule("毕业证书", required_when="true"),
            "other": rule("其他", offered_when="false"),
            "photo_prints": rule("小二寸照片", channel="onsite"),
        },
        reasons={"unreadable": words("图片不清晰，无法辨认"), "missing": words("缺少该项材料")},
    )
    return RulesPublished(pack=pack)


def a_registration(
    key_ring: KeyRing | None,
    application_no: str = NO,
    *,
    revision: int = 1,
    person: Person = PERSON,
    region: str = "15",
    site: str = "1501",
) -> RegistrationRecorded:
    sealed = (
        key_ring.seal(region, 2021, person)
        if key_ring is not None
        else Sealed(key_id="15-1999", nonce="AAAAAAAAAAAAAAAA", ciphertext="AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
    )
    return RegistrationRecorded(
        application_no=application_no,
        registration_revision=revision,
        region=region,
        site=site,
        year=2021,
        pack_id="neimenggu-2021",
        facts=Facts(),
        sealed=sealed,
    )


def an_image(item: str = "diploma", verdict: str = "accept", **more: Any) -> HandedInImage:
    image_id = more.pop("image_id", None) or uuid4()
    return HandedInImage.model_validate(
        {
            "item": item,
            "image_id": image_id,
            "object_key": f"{NO}/{image_id}/0123456789abcdef",
            "sha256": "0" * 64,
            "size": 1000,
            "content_type": "image/jpeg",
            "uploaded_at": START,
            "verdict": verdict,
        }
        | more
    )


def a_submission(
    application_no: str = NO,
    *,
    round_no: int = 1,
    revision: int | None = None,
    images: tuple[HandedInImage, ...] | None = None,
    changed: tuple[str, ...] | None = None,
    region: str = "15",
    site: str = "1501",
    at: datetime | None = None,
    pack_version: int = 1,
    required: tuple[str, ...] = (),
    **more: Any,
) -> ApplicationSubmitted:
    handed_in = (an_image("identity"), an_image("diploma")) if images is None else images
    return ApplicationSubmitted.model_validate(
        {
            "application_no": application_no,
            "region": region,
            "site": site,
            "year": 2021,
            "pack_id": "neimenggu-2021",
            "pack_version": pack_version,
            "round": round_no,
            "revision": round_no if revision is None else revision,
            "route": "online",
            "facts": Facts(),
            "images": handed_in,
            "changed_items": changed if changed is not None else tuple(sorted({image.item for image in handed_in})),
            "required_items": required,
            "submitted_at": at or START + timedelta(hours=round_no),
        }
        | more
    )


def a_check(
    image: HandedInImage | UUID, verdict: str = "accept", *, application_no: str = NO, check_no: int = 1
) -> MaterialChecked:
    image_id = image if isinstance(image, UUID) else image.image_id
    findings = () if verdict == "accept" else (Finding(code="blurred", severity="review", measured=3.0, limit=10.0),)
    return MaterialChecked.model_validate(
        {
            "application_no": application_no,
            "item": "diploma",
            "image_id": image_id,
            "sha256": "0" * 64,
            "check_no": check_no,
            "verdict": verdict,
            "reason": "ok" if verdict == "accept" else "blurred",
            "findings": findings,
            "checked_at": START,
        }
    )


def a_photo(object_key: str = f"{NO}/photo/0123456789abcdef", at: datetime = START) -> HandedInPhoto:
    return HandedInPhoto(object_key=object_key, sha256="0" * 64, size=20_000, accepted_at=at)


def read(field: ReadableField, value: str, **more: Any) -> ReadText:
    """A text that was read from an image."""
    box = Box(left=0.1, top=0.2, right=0.6, bottom=0.3)
    return ReadText.model_validate({"field": field, "value": value, "confidence": 0.98, "box": box} | more)


def a_reading(
    key_ring: KeyRing,
    image: HandedInImage,
    *texts: ReadText,
    wanted: tuple[ReadableField, ...] = ("id_number", "name"),
    read_no: int = 1,
    application_no: str = NO,
    mirrored: bool | None = False,
    year: int = 2021,
) -> MaterialRead:
    """What was read from an image, sealed; nothing where there are no texts."""
    return MaterialRead(
        application_no=application_no,
        item=image.item,
        image_id=image.image_id,
        sha256=image.sha256,
        about="reading",
        read_no=read_no,
        wanted=wanted,
        sealed=key_ring.seal("15", year, Reading(texts=texts)) if texts else None,
        mirrored=mirrored,
        read_at=START,
    )


def seen_under(application_no: str, region: str = "15", item: str = "diploma") -> SeenUnder:
    return SeenUnder(application_no=application_no, region=region, item=item, image_id=uuid4())


def some_copies(image: HandedInImage, *copies: SeenUnder, read_no: int = 1, application_no: str = NO) -> MaterialRead:
    """The same bytes lie under other candidates."""
    return MaterialRead(
        application_no=application_no,
        item=image.item,
        image_id=image.image_id,
        sha256=image.sha256,
        about="copies",
        read_no=read_no,
        copies=copies,
        read_at=START,
    )


def a_reopening(application_no: str = NO, *, round_no: int = 1, revision: int = 2) -> ApplicationReopened:
    return ApplicationReopened(
        application_no=application_no,
        region="15",
        site="1501",
        round=round_no,
        revision=revision,
        cause="image_failed",
        items=(ReopenedItem(item="diploma", image_ids=(), reason_code="corrupt", words="图片已损坏"),),
        reopened_at=START,
    )


def a_change(
    application_no: str = NO, *, round_no: int = 1, revision: int = 2, items: tuple[ReopenedItem, ...] = ()
) -> ApplicationReopened:
    """The registration changed; there may be no item whose requirement did."""
    return ApplicationReopened(
        application_no=application_no,
        region="15",
        site="1501",
        round=round_no,
        revision=revision,
        cause="registration_changed",
        items=items,
        reopened_at=START,
    )


def a_withdrawal(application_no: str = NO, *, round_no: int = 1, revision: int = 2) -> ApplicationWithdrawn:
    return ApplicationWithdrawn(
        application_no=application_no,
        region="15",
        site="1501",
        round=round_no,
        revision=revision,
        withdrawn_at=START,
    )


def a_lapse(
    application_no: str = NO, *, round_no: int = 1, revision: int = 2, was: str = "returned"
) -> ApplicationLapsed:
    return ApplicationLapsed.model_validate(
        {
            "application_no": application_no,
            "region": "15",
            "site": "1501",
            "round": round_no,
            "revision": revision,
            "was": was,
            "deadline": START + timedelta(days=5),
            "lapsed_at": START + timedelta(days=5),
        }
    )


def a_notice(outcome: str = "delivered", *, notice_id: UUID | None = None, at: datetime = START) -> NoticeDelivered:
    return NoticeDelivered.model_validate(
        {
            "application_no": NO,
            "notice_id": notice_id or uuid4(),
            "channel": "sms",
            "outcome": outcome,
            "about": "returned",
            "round": 1,
            "delivered_at": at,
        }
    )
