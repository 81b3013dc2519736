"""Events as other services tell them to notify."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from shared.contracts.event import Person
from shared.contracts.facts import Facts
from shared.contracts.registration import RegistrationRecorded
from shared.contracts.review import ReturnedItem, ReviewFeedback, ReviewPublished
from shared.contracts.rules import ItemRule, Pack, Region, RulesPublished, Section, Site, Text
from shared.contracts.upload import ApplicationReopened, ApplicationSubmitted, ReopenedItem
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


def some_rules(*, version: int = 1, exam: str = "2026 年医师资格考试", pack_id: str = PACK_ID) -> RulesPublished:
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
    return RulesPublished(pack=pack)


def a_submission(
    *, application_no: str = APPLICATION, round_no: int = 1, pack_version: int = 1, at: datetime | None = None
) -> ApplicationSubmitted:
    return ApplicationSubmitted(
        application_no=application_no,
        region="99",
        site="9901",
        year=2026,
        pack_id=PACK_ID,
        pack_version=pack_version,
        round=round_no,
        revision=round_no,
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
