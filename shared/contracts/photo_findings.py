"""What people are told about a finding of the photo check: what is wrong with the portrait, and what to do."""

from shared.contracts.rules import Text

_WORDS: dict[str, tuple[str, str]] = {
    # The file
    "empty": ("文件是空的，请重新选择照片。", "The file is empty. Choose the photo again."),
    "too_large_bytes": (
        "文件超过 10 MB，请选择较小的照片，或在手机相册中调低大小后再试。",
        "The file is over 10 MB. Choose a smaller one, or save it smaller on your phone.",
    ),
    "heic": (
        "这是苹果手机的 HEIC 格式。请在手机「设置 → 相机 → 格式」中选择「兼容性最佳」后重新拍摄，"
        "或在相册中导出为 JPG 后再选。",
        "This is HEIC, the iPhone's own format. Set Settings → Camera → Formats to Most Compatible and take it again, "
        "or export it as JPEG.",
    ),
    "unsupported_format": (
        "不是 jpg 或 png 照片，请另存为 jpg 后再选。",
        "It is neither JPEG nor PNG. Save it as JPEG and choose that.",
    ),
    "corrupt": (
        "照片文件已损坏，无法打开，请重新拍摄或重新导出。",
        "The file is damaged. Take or export the photo again.",
    ),
    "pixel_limit": (
        "照片像素过大，请缩小尺寸后再选（不超过 6000 万像素）。",
        "The photo has too many pixels. Make it smaller (60 million at most).",
    ),
    "animated": ("不接受动图，请选择普通照片。", "Animated pictures are not taken. Choose an ordinary photo."),
    "trailing_data": (
        "照片文件中含有多余内容，请重新拍摄或另存为普通 jpg。",
        "There is more in the file than the photo. Take it again, or save it as an ordinary JPEG.",
    ),
    "too_complex": (
        "照片无法处理，请重新拍摄或另存为普通 jpg。",
        "The photo can't be processed. Save it as an ordinary JPEG.",
    ),
    "gone": ("照片没有保存成功，请重新选择照片。", "The photo was not kept. Choose it again."),
    # The person
    "no_face": (
        "没有找到人脸。请上传本人正面免冠照片，面部不要被遮挡。",
        "No face was found. Use a photo of yourself from the front, with nothing before the face.",
    ),
    "not_upright": ("照片方向不正，请先转正再上传。", "The photo is not upright. Turn it first."),
    "several_faces": (
        "照片中不止一张人脸，请上传只有本人的照片。",
        "There is more than one face. Use a photo with nobody else on it.",
    ),
    "not_frontal": (
        "头部没有正对镜头，请面向镜头、平视前方重新拍摄。",
        "The head is turned. Face the camera, look straight ahead and take it again.",
    ),
    "tilted": ("头部歪斜，请把头摆正后重新拍摄。", "The head is tilted. Hold it upright and take it again."),
    "eyes_closed": ("眼睛似乎闭着，请睁开双眼重新拍摄。", "The eyes seem closed. Take it again with both eyes open."),
    "glasses_glare": (
        "眼镜可能反光，请调整光线或摘下眼镜重新拍摄。",
        "The glasses may reflect light. Move the light or take them off.",
    ),
    # How the person stands in the picture
    "head_too_small": (
        "头部太小，请站近一些，或选用更高像素的照片。",
        "The head is too small. Come nearer, or use a photo with more pixels.",
    ),
    "head_too_large": (
        "头部太大，裁不出规定的照片。请退后一些重新拍摄，头顶和两侧留出空白。",
        "The head is too large for the official size. Step back and leave room above and beside it.",
    ),
    "off_centre": (
        "头部偏向一侧，裁不出规定的照片。请站在画面中间重新拍摄。",
        "The head is off to one side. Stand in the middle and take it again.",
    ),
    "cut_off": (
        "头部或肩部被裁掉，或边上空白不够（见标出的边）。请重新拍摄，头顶留白，露出双肩。",
        "Head or shoulders are cut off, or there is too little room at the marked side. Take it again with room above "
        "the head and both shoulders in the picture.",
    ),
    "too_few_pixels": (
        "照片像素太低，请使用原图，不要用截图或缩略图。",
        "The photo has too few pixels. Use the original, not a screenshot or a thumbnail.",
    ),
    # Light and background
    "face_shadow": (
        "面部一侧有阴影，请让光线均匀照在脸上重新拍摄。",
        "One side of the face is in shadow. Let light fall evenly on the face.",
    ),
    "background_not_white": (
        "背景不是白色，请在白色背景前重新拍摄。",
        "The background is not white. Take it in front of a white wall or cloth.",
    ),
    "background_uneven": (
        "背景不均匀或有阴影，请离开墙面一些，让背景受光均匀后重新拍摄。",
        "The background is uneven or has a shadow on it. Step away from the wall and light it evenly.",
    ),
    "too_dark": ("照片太暗，请在光线充足处重新拍摄。", "The photo is too dark. Take it in brighter light."),
    "too_bright": (
        "面部过亮、失去细节，请避开强光或闪光灯重新拍摄。",
        "The face is too bright to show detail. Avoid direct light or the flash.",
    ),
    "no_colour": ("照片似乎是黑白的，请使用彩色照片。", "The photo seems to be black and white. Use one in colour."),
    # Sharpness
    "blurred": ("照片模糊，请对焦清楚、拿稳后重新拍摄。", "The photo is blurred. Focus, hold still and take it again."),
    "over_compressed": (
        "照片被压缩得太厉害，请使用原图，不要用聊天软件转发过的图片。",
        "The photo was compressed too much. Use the original, not one that a chat program passed on.",
    ),
}
_UNKNOWN = ("照片未通过检查，请重新拍摄。", "The photo did not pass the check. Take it again.")

PHOTO_CODES = frozenset(_WORDS)


def photo_words_for(code: str) -> Text:
    """The words for a finding's code; general ones for a code that is not known yet."""
    zh, en = _WORDS.get(code, _UNKNOWN)
    return Text(zh=zh, en=en)
