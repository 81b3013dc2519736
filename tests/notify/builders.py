"""Events as other services tell them to notify."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from shared import clock
from shared.contracts.event import CodeToSend, Person
from shared.contracts.facts import Facts
from shared.contracts.registration import RegistrationRecorded
from shared.contracts.review import ReturnedItem, ReviewFeedback, ReviewPublished
from shared.contracts.rules import ItemRule, Pack, Region, RulesPublished, Section, Site, Text
from shared.contracts.upload import (
    ApplicationLapsed,
    ApplicationReopened,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    CodeRequested,
    ContactChanged,
    DeadlineNear,
    ReopenedItem,
)
from shared.security.sealing import KeyRing

APPLICATION = "2026110000001"
OTHER_APPLICATION = "2026110000002"
PHONE = "13800138000"
NAME = "样本张三"
ID_NUMBER = "999999199001011234"
PACK_ID = "sample-2026"

_counter = 0


def now() -> datetime:
    return datetime.now(UTC)


def a_phone() -> str:
    """A number that no other test's message went to."""
    global _counter
    _counter += 1
    return f"139{_counter:08d}"


def a_registration(
    key_ring: KeyRing,
    *,
    application_no: str = APPLICATION,
    phone: str = PHONE,
    revision: int = 1,
    year: int = 2026,
    pack_id: str = PACK_ID,
) -> RegistrationRecorded:
    person = Person(name=NAME, id_number=ID_NUMBER, phone=phone)
    return RegistrationRecorded(
        application_no=application_no,
        registration_revision=revision,
        region="99",
        site="9901",
        year=year,
        pack_id=pack_id,
        facts=Facts(),
        sealed=key_ring.seal("99", year, person),
    )


def some_rules(
    *, version: int = 1, exam: str = "2026 年医师资格考试", pack_id: str = PACK_ID, **more: Any
) -> RulesPublished:
    def item(zh: str, en: str) -> ItemRule:
        return ItemRule(title=Text(zh=zh, en=en), instruction=Text(zh="请上传。", en="Upload it."))

    items = {
        "identity": item("有效身份证明", "Identity document"),
        "diploma": item("毕业证书", "Diploma"),
        "degree": item("学位证书", "Degree certificate"),
        "trial_assessment": item("试用期考核合格证明", "Trial-period assessment"),
        "institution_licence": item("医疗机构执业许可证副本", "Institution's licence"),
    }
    pack = Pack(
        id=pack_id,
        version=version,
        region=Region(code="99", name=Text(zh="样本考区", en="Sample region")),
        year=2026,
        exam=Text(zh=exam, en="the 2026 physicians' exam"),
        sites=(Site(code="9901", name=Text(zh="样本考点", en="Sample site")),),
        sections=(Section(title=Text(zh="材料", en="Materials"), items=tuple(items)),),
        items=items,
        reasons={"blurred": Text(zh="图片模糊", en="Blurred")},
    )
    return RulesPublished(pack=Pack.model_validate(pack.model_dump() | more))


def a_submission(
    *,
    application_no: str = APPLICATION,
    round_no: int = 1,
    revision: int | None = None,
    pack_version: int = 1,
    at: datetime | None = None,
) -> ApplicationSubmitted:
    return ApplicationSubmitted(
        application_no=application_no,
        region="99",
        site="9901",
        year=2026,
        pack_id=PACK_ID,
        pack_version=pack_version,
        round=round_no,
        revision=round_no if revision is None else revision,
        route="online",
        facts=Facts(),
        images=(),
        changed_items=(),
        submitted_at=at or now(),
    )


def a_feedback(
    *items: str,
    application_no: str = APPLICATION,
    round_no: int = 1,
    words: str = "请重新拍摄，文字不清晰",
    at: datetime | None = None,
) -> ReviewFeedback:
    return ReviewFeedback(
        application_no=application_no,
        region="99",
        site="9901",
        feedback_id=uuid4(),
        round=round_no,
        revision=round_no,
        tier="site",
        items=tuple(ReturnedItem(item=item, reason_code="blurred", words=words) for item in items or ("diploma",)),
        returned_at=at or now(),
    )


def a_reopening(*, cause: str = "image_failed", application_no: str = APPLICATION) -> ApplicationReopened:
    items = (ReopenedItem(item="identity", image_ids=(uuid4(),), reason_code="broken", words="图片无法打开"),)
    return ApplicationReopened(
        application_no=application_no,
        region="99",
        site="9901",
        round=1,
        revision=2,
        cause=cause,
        items=items if cause == "image_failed" else (),
        reopened_at=now(),
    )


def a_publication(
    *,
    application_no: str = APPLICATION,
    opinion: str = "approved",
    effective_in: timedelta = timedelta(),
    words: str = "材料齐全",
) -> ReviewPublished:
    return ReviewPublished(
        application_no=application_no,
        region="99",
        site="9901",
        publication_id=uuid4(),
        round=1,
        revision=1,
        opinion=opinion,
        words=words,
        effective_at=now() + effective_in,
    )


DEADLINE = datetime(2096, 3, 1, 9, 0, tzinfo=UTC)


def a_withdrawal(*, application_no: str = APPLICATION, revision: int = 2) -> ApplicationWithdrawn:
    return ApplicationWithdrawn(
        application_no=application_no, region="99", site="9901", round=1, revision=revision, withdrawn_at=now()
    )


def a_lapse(*, application_no: str = APPLICATION, revision: int = 3, was: str = "returned") -> ApplicationLapsed:
    return ApplicationLapsed.model_validate(
        {
            "application_no": application_no,
            "region": "99",
            "site": "9901",
            "round": 0 if was == "draft" else 1,
            "revision": revision,
            "was": was,
            "deadline": DEADLINE,
            "lapsed_at": now(),
        }
    )


def a_near_deadline(
    *,
    application_no: str = APPLICATION,
    round_no: int = 1,
    revision: int = 1,
    hours: int = 24,
    deadline: datetime = DEADLINE,
) -> DeadlineNear:
    return DeadlineNear.model_validate(
        {
            "application_no": application_no,
            "region": "99",
            "site": "9901",
            "round": round_no,
            "revision": revision,
            "hours_left": hours,
            "deadline": deadline,
            "told_at": now(),
        }
    )


def a_contact(
    key_ring: KeyRing, phone: str, *, application_no: str = APPLICATION, revision: int = 1, year: int = 2026
) -> ContactChanged:
    person = Person(name=NAME, id_number=ID_NUMBER, phone=phone)
    return ContactChanged(
        application_no=application_no,
        contact_revision=revision,
        sealed=key_ring.seal("99", year, person),
        changed_at=now(),
    )


def a_code(
    key_ring: KeyRing,
    code: str = "482913",
    *,
    phone: str = PHONE,
    code_id: UUID | None = None,
    lives: timedelta = timedelta(minutes=10),
    year: int = 2026,
) -> CodeRequested:
    return CodeRequested(
        application_no=APPLICATION,
        code_id=code_id or uuid4(),
        sealed=key_ring.seal("99", year, CodeToSend(phone=phone, code=code)),
        expires_at=clock.now() + lives,
    )
