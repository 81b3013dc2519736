"""Why a registration photo's receipt was refused: the stable reasons, and what a candidate is told for each."""

from typing import Literal

from shared.contracts.rules import Text

ReceiptRefusal = Literal[
    "not_a_jpeg",
    "receipt_missing",
    "receipt_twice",
    "receipt_unreadable",
    "receipt_forged",
    "key_unknown",
    "key_retired",
    "other_candidate",
    "receipt_not_yet_valid",
    "receipt_expired",
    "photo_changed",
]

_WORDS: dict[ReceiptRefusal, tuple[str, str]] = {
    "not_a_jpeg": (
        "这不是完整的 jpg 文件，请上传照片检测通过后下载的原文件。",
        "This is no whole JPEG file. Hand in the file that the photo check gave you, as it was downloaded.",
    ),
    "receipt_missing": (
        "照片中没有检测凭证。请先进行照片检测，并直接上传检测通过后下载的原文件；"
        "经截图、微信转发或修图软件另存后，凭证会丢失。",
        "The photo carries no receipt. Do the photo check first and hand in the very file that you downloaded there: "
        "a screenshot, a messenger or an editor loses the receipt.",
    ),
    "receipt_twice": (
        "照片中有多个检测凭证，请重新下载检测通过的照片并直接上传。",
        "The photo carries more than one receipt. Download the checked photo again and hand in that file.",
    ),
    "receipt_unreadable": (
        "照片中的检测凭证已损坏，请重新下载检测通过的照片并直接上传。",
        "The receipt in the photo is damaged. Download the checked photo again and hand in that file.",
    ),
    "receipt_forged": (
        "照片中的检测凭证不是本系统签发的，或已被改动。请重新进行照片检测。",
        "The receipt in the photo was not signed by this system, or was changed. Do the photo check again.",
    ),
    "key_unknown": (
        "照片中的检测凭证不是本系统签发的，请在本系统重新进行照片检测。",
        "The receipt in the photo was signed with a key that is not known here. Do the photo check of this system.",
    ),
    "key_retired": (
        "签发该检测凭证的密钥已停用，请重新进行照片检测。",
        "The key that signed the receipt is no longer in use. Do the photo check again.",
    ),
    "other_candidate": (
        "这张照片是用另一个报名编号检测的，请用本人的报名编号进行照片检测。",
        "This photo was checked for another application number. Do the photo check with your own.",
    ),
    "receipt_not_yet_valid": (
        "检测凭证的签发时间晚于当前时间，请稍后再试；如仍不行，请重新进行照片检测。",
        "The receipt is dated later than now. Try again in a while; if that does not help, do the photo check again.",
    ),
    "receipt_expired": (
        "检测凭证已过期，请重新进行照片检测。",
        "The receipt has expired. Do the photo check again.",
    ),
    "photo_changed": (
        "照片在检测通过后被改动过。请重新下载检测通过的照片，不要编辑、压缩或另存，直接上传。",
        "The photo was changed after it was checked. Download the checked photo again and hand it in without editing, "
        "compressing or saving it anew.",
    ),
}


def receipt_words_for(reason: ReceiptRefusal) -> Text:
    """What happened and what to do, for the candidate."""
    zh, en = _WORDS[reason]
    return Text(zh=zh, en=en)
