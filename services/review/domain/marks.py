"""What a reviewer notes item by item."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from services.review.domain.refusals import no_such_item
from services.review.domain.words import open_places
from shared.contracts.rules import Pack
from shared.errors import Invalid


@dataclass(frozen=True)
class Mark:
    """What a reviewer noted on one item. It stays until the whole application is returned, or the item changes.

    Attributes:
        same_images_allowed: the candidate may hand in the same images again, which upload refuses otherwise.
    """

    item: str
    mark: Literal["accept", "return"]
    reason_code: str | None = None
    words: str | None = None
    image_ids: tuple[UUID, ...] = ()
    same_images_allowed: bool = False

    def check(self, pack: Pack, current_images: set[UUID]) -> None:
        """Refuse a mark that could not be told to the candidate.

        Args:
            pack: the rules that the application is bound to.
            current_images: those handed in under the item in this round.
        """
        if self.item not in pack.items:
            raise no_such_item()
        if self.mark == "accept":
            if self.reason_code or self.words or self.image_ids or self.same_images_allowed:
                raise Invalid(
                    "accept-takes-no-reason",
                    "通过的材料不填写退回原因；如需退回，请选择“退回”。",
                    "An accepted item has no reason, words or images. Mark it `return` to give it back.",
                )
            if not current_images and pack.items[self.item].channel != "onsite":
                raise Invalid(
                    "item-not-handed-in",
                    "考生没有提交该项材料，不能标为合格；如需要该项材料，请选择“退回”要求补交。",
                    "Nothing was handed in under this item, so there is nothing to accept. Mark it `return` to ask for "
                    "it.",
                )
            return
        self._check_return(pack, current_images)

    def _check_return(self, pack: Pack, current_images: set[UUID]) -> None:
        if not self.reason_code:
            raise Invalid("reason-missing", "请选择退回原因。", "Choose the reason for the return (`reason_code`).")
        if self.reason_code not in pack.reasons:
            raise Invalid(
                "reason-unknown",
                "没有这个退回原因，请从列表中选择。",
                "The pack has no such reason. Choose one of `reasons`.",
                reasons=sorted(pack.reasons),
            )
        if not self.words:
            raise Invalid(
                "words-missing", "请写明退回原因，考生会看到这段文字。", "Write `words`: the candidate reads them."
            )
        if places := open_places(self.words):
            raise Invalid(
                "words-unfinished",
                f"说明中还有未填写的内容：{'、'.join(places)}。请填写或删去后再保存，考生会看到这段文字。",
                f"The words are not filled in yet: {', '.join(places)}. Type over each, or take it out: the candidate "
                "reads them.",
                places=places,
            )
        if pack.items[self.item].channel == "onsite":
            raise Invalid(
                "item-brought-on-site",
                "该项材料在现场提交，不能在线退回。",
                "This item is brought to the counter: the candidate can't upload it. Ask for another item.",
            )
        if not set(self.image_ids) <= current_images:
            raise Invalid(
                "image-not-in-item",
                "所选图片不在本轮该项材料中，请刷新页面后重新选择。",
                "An image is not among those handed in under this item in this round. Reload the page.",
            )


def must_have_no_return(marks: Sequence[Mark]) -> None:
    """Refuse to let an application go on while an item is marked to be given back."""
    items = [mark.item for mark in marks if mark.mark == "return"]
    if items:
        raise Invalid(
            "items-marked-return",
            "还有标记为退回的材料：请先退回考生，或取消这些标记。",
            "Items are marked `return`: return the application, or clear those marks.",
            items=items,
        )
