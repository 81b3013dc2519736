"""What a new version of the rules, or new facts, changed for one candidate: in words, and which items it opens."""

from collections.abc import Container
from dataclasses import dataclass

from services.upload.checklist import Checklist, ListedItem
from services.upload.domain.windows import spoken
from shared.contracts.rules import Route, Text

LONGEST = 2000  # of a `Text`: a title and a reason may each be as long
_ROUTES: dict[Route, tuple[str, str]] = {
    "online": ("线上审核", "online review"),
    "onsite": ("现场审核", "on-site review"),
    "both": ("线上审核后现场确认", "online review, then on-site confirmation"),
}


@dataclass(frozen=True)
class Change:
    """One difference.

    Attributes:
        words: what changed.
        item: whose requirement changed, None where it is not about one item.
        asks_more: more is required of the item than before, so it must be open.
    """

    words: Text
    item: str | None = None
    asks_more: bool = False


def differences(before: Checklist, after: Checklist, with_images: Container[str]) -> tuple[Change, ...]:
    """What is different for the candidate, in the order of the new checklist.

    Args:
        before: what the candidate knew.
        after: what counts now.
        with_images: items that have images; of none that goes nothing is said.
    """
    changes = [*_of_route(before, after, with_images), *_of_deadline(before, after)]
    for code, now in after.items.items():
        change = _of_item(before.items.get(code), now)
        if change is not None:
            changes.append(change)
    for code, gone in before.items.items():
        if code not in after.items and (gone.required or gone.offered or code in with_images):
            zh, en = gone.rule.title.zh, gone.rule.title.en
            changes.append(
                Change(
                    _text(
                        f"{zh}已不在材料清单中；已上传的图片仍然保留，不随报名提交",
                        f"{en} is no longer on the checklist; images that you uploaded are kept, but not handed in",
                    ),
                    code,
                )
            )
    return tuple(changes)


def _of_route(before: Checklist, after: Checklist, with_images: Container[str]) -> list[Change]:
    if (before.route, before.uploads) == (after.route, after.uploads):
        return []
    zh, en = _ROUTES[after.route]
    none = ("" if after.uploads else "，无需上传材料", "" if after.uploads else ", nothing to upload")
    why = after.route_reason
    words = _text(f"审核方式改为{zh}{none[0]}（{why.zh}）", f"You now take the {en}{none[1]} ({why.en})")
    if after.uploads or not any(code in with_images for code in before.items):
        return [Change(words)]
    kept = _text("已上传的图片仍然保留，不随报名提交", "The images that you uploaded are kept, but not handed in")
    return [Change(words), Change(kept)]


def _of_deadline(before: Checklist, after: Checklist) -> list[Change]:
    old, new = before.pack.windows.upload, after.pack.windows.upload
    if new is None or (old is not None and old.closes_at == new.closes_at):
        return []
    zh, en = spoken(new.closes_at, new)
    return [Change(_text(f"上传与提交的截止时间改为{zh}", f"Upload and submit by {en} now"))]


def _of_item(was: ListedItem | None, now: ListedItem) -> Change | None:
    zh, en = now.rule.title.zh, now.rule.title.en
    if was is not None and was.rule.channel != "onsite" and now.rule.channel == "onsite":
        words = _text(
            f"{zh}改为现场提交；已上传的图片仍然保留，不随报名提交",
            f"{en} is brought to the on-site review now; images that you uploaded are kept, but not handed in",
        )
        return Change(words, now.code)
    required_before = was is not None and was.required
    offered_before = was is not None and was.offered
    if now.required and not required_before:
        count = (f"，至少 {now.min} 张", f", at least {now.min} images") if now.min > 1 else ("", "")
        words = _text(
            f"新增必交：{zh}{count[0]}（{now.reason.zh}）", f"Newly required: {en}{count[1]} ({now.reason.en})"
        )
        return Change(words, now.code, asks_more=True)
    if required_before and not now.required:
        words = (
            _text(f"不再必交（可选）：{zh}", f"No longer required, but taken: {en}")
            if now.offered
            else _text(f"不再要求：{zh}", f"No longer required: {en}")
        )
        return Change(words, now.code)
    if was is not None and now.required and was.min != now.min:
        words = _text(
            f"{zh}：至少 {now.min} 张（原为 {was.min} 张）", f"{en}: at least {now.min} images now, not {was.min}"
        )
        return Change(words, now.code, asks_more=now.min > was.min)
    if was is not None and now.offered and was.max != now.max:
        words = _text(
            f"{zh}：最多 {now.max} 张（原为 {was.max} 张）", f"{en}: at most {now.max} images now, not {was.max}"
        )
        return Change(words, now.code)
    if now.offered and not offered_before:
        return Change(_text(f"可选交：{zh}", f"May be handed in now: {en}"), now.code)
    return None


def _text(zh: str, en: str) -> Text:
    return Text(zh=zh[:LONGEST], en=en[:LONGEST])
