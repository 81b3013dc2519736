"""What people are told about a finding of validation: what is wrong, and what to do; by the finding's code."""

from shared.contracts.rules import Text

_WORDS: dict[str, tuple[str, str]] = {
    "empty": ("文件是空的，请重新选择图片上传。", "The file is empty. Choose the image again."),
    "too_large_bytes": ("图片超过 200 KB，请压缩后重新上传。", "The image is over 200 KB. Compress it."),
    "unsupported_format": ("不是 jpg 或 png 图片，请转换格式后重新上传。", "It is neither JPEG nor PNG. Convert it."),
    "extension_mismatch": (
        "扩展名与内容不符，请上传原始的 jpg 或 png 文件。",
        "The extension does not fit the content.",
    ),
    "corrupt": ("图片已损坏，无法打开，请重新拍摄或重新导出后上传。", "The image is damaged. Take or export it again."),
    "pixel_limit": ("图片像素过大，请缩小尺寸后重新上传。", "The image has too many pixels. Make it smaller."),
    "too_small": ("图片尺寸太小，请上传更清晰的大图。", "The image is too small. Upload a larger one."),
    "too_complex": ("图片无法处理，请重新拍摄后上传。", "The image can't be processed. Take it again."),
    "animated": ("不接受动图，请上传静态图片。", "Animated images are not taken."),
    "trailing_data": (
        "图片末尾含有多余内容，请重新导出后上传。",
        "There is something behind the image. Export it again.",
    ),
    "active_content": ("图片含有不允许的内容，请重新拍摄后上传。", "The image holds something that is not allowed."),
    "metadata_excess": (
        "图片附带信息过多，请重新导出后上传。",
        "The image carries too much metadata. Export it again.",
    ),
    "unsupported_colorspace": ("不支持该图片的颜色格式，请另存为普通 jpg 后上传。", "Save it as an ordinary JPEG."),
    "blank": ("图片是空白的，请重新拍摄材料。", "The image is blank. Take it again."),
    "blurred": ("图片模糊，请对焦清楚后重新拍摄。", "The image is blurred. Hold still and focus."),
    "too_dark": ("图片太暗，请在光线充足处重新拍摄。", "The image is too dark. Take it in brighter light."),
    "too_bright": (
        "图片过亮或反光，请避开强光重新拍摄。",
        "The image is too bright, or there is glare. Take it again.",
    ),
    "mirrored": (
        "图片左右颠倒，请关闭镜像后重新拍摄。",
        "The image is mirrored. Turn mirroring off and take it again.",
    ),
    "low_contrast": ("图片对比度太低，请在光线充足处重新拍摄。", "There is too little contrast. Use better light."),
    "orientation": ("图片方向不正，请转正后重新上传。", "The image is not upright. Turn it."),
    "gone": ("图片没有保存成功，请删除后重新上传。", "The image was not kept. Remove it and upload it again."),
}
# What a candidate may hand in all the same after a warning; format, integrity and safety may not.
QUALITY = frozenset({"blank", "blurred", "too_dark", "too_bright", "low_contrast", "orientation", "mirrored"})
_UNKNOWN = ("图片未通过检查，请重新拍摄后上传。", "The image did not pass the check. Take it again.")


def words_for(code: str) -> Text:
    """The words for a finding's code; general ones for a code that is not known yet."""
    zh, en = _WORDS.get(code, _UNKNOWN)
    return Text(zh=zh, en=en)
