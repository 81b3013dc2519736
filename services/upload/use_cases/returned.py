"""What a reviewer returned is not taken again for that item: the same stored bytes, whatever became of the image."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.errors import Invalid

# The newest return that speaks of these bytes has the last word. One that allows the same images and names none speaks
# of all of the item's.
_LAST_WORD = text(
    """
    SELECT given.allowed
    FROM feedback
    CROSS JOIN LATERAL (
        SELECT each.item ->> 'item' AS item, each.item -> 'image_ids' AS image_ids,
               coalesce(CAST(each.item ->> 'same_images_allowed' AS boolean), false) AS allowed
        FROM jsonb_array_elements(feedback.items) AS each(item)
    ) AS given
    WHERE feedback.application_no = :no AND feedback.tier <> 'system' AND given.item = :item
          AND (given.allowed AND jsonb_array_length(given.image_ids) = 0
               OR EXISTS (SELECT FROM images
                          WHERE images.application_no = :no AND images.sha256 = :sha256
                                AND given.image_ids @> to_jsonb(CAST(images.image_id AS text))))
    ORDER BY feedback.round DESC, feedback.at DESC
    LIMIT 1
    """
)


async def check_not_returned(session: AsyncSession, application_no: str, item: str, sha256: str) -> None:
    """Refuse bytes that a return named for this item, unless the reviewer allowed them again.

    Raises:
        Invalid: another image is wanted.
    """
    allowed = await session.scalar(_LAST_WORD, {"no": application_no, "item": item, "sha256": sha256})
    if allowed is False:
        raise Invalid(
            "returned-image",
            "这张图片已被审核人员退回，不能再次提交。请按退回意见重新拍摄或更换后上传。",
            "A reviewer returned this very image. Take another one, as the feedback says, and upload that.",
        )
