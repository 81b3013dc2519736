"""What people are told about a finding of validation: what is wrong, and what to do; by the finding's code."""

from shared.contracts.rules import Text

_WORDS: dict[str, tuple[str, str]] = {
    "empty": ("文件是空的，请重新选择图片上传。", "The file is empty. Choose the image again."),
    "too_large_bytes": ("图片超过 200 KB，请压缩后重新上传。", "The image is over 200 KB. Compress it."),
    # The photo check's own limits: words for `too_large_bytes` there.
    "too_large_portrait": ("照片超过 10 MB，请缩小后重新上传。", "The photo is over 10 MB. Make it smaller."),
    "too_large_photo": (
        "文件太大，不是照片检查后下载的照片，请原样上传下载的文件。",
        "The file is larger than any checked photo. Upload the file that the photo check gave you, unchanged.",
    ),
    "unsupported_format": (
        "不是普通的 jpg 或 png 图片，请用看图软件另存为 jpg 后重新上传，只改扩展名无效。",
        "It is no ordinary JPEG or PNG. Save it as a JPEG; another extension alone does not help.",
    ),
    "unsupported_format_heic": (
        "这是 HEIC 格式的照片，请转换为 jpg：苹果手机在“设置→相机→格式”选择“兼容性最佳”后重新拍摄，"
        "或用看图软件将照片另存为 jpg；安卓手机在相机设置中关闭“HEIF/高效格式”。",
        "This is a HEIC photo. Convert it to JPEG: on an iPhone choose Settings, Camera, Formats, Most Compatible and "
        "take it again, or save it as a JPEG; on Android turn HEIF off in the camera's settings.",
    ),
    "extension_mismatch": (
        "扩展名与图片内容不符或没有扩展名，请上传原始的 jpg、jpeg 或 png 文件。",
        "The extension is missing or does not fit the content. Upload the original .jpg, .jpeg or .png file.",
    ),
    "bad_filename": (
        "文件名含有不允许的字符，请重命名文件后重新上传。",
        "The file name holds a character that is not allowed. Rename the file and upload it again.",
    ),
    "corrupt": ("图片已损坏，无法打开，请重新拍摄或重新导出后上传。", "The image is damaged. Take or export it again."),
    "pixel_limit": ("图片像素过大，请缩小尺寸后重新上传。", "The image has too many pixels. Make it smaller."),
    "too_small": ("图片尺寸太小，请上传更清晰的大图。", "The image is too small. Upload a larger one."),
    "too_complex": (
        "图片结构过于复杂，无法处理，请重新拍摄，或用看图软件另存为普通 jpg 后上传。",
        "The image can't be processed. Take it again, or save it as an ordinary JPEG.",
    ),
    "animated": ("不接受动图，请上传静态图片。", "Animated images are not taken. Upload a still one."),
    "trailing_data": (
        "图片末尾含有多余内容，请用看图软件另存为 jpg，或重新拍摄后上传。",
        "There is something behind the image. Save it as a JPEG, or take it again.",
    ),
    "active_content": (
        "图片中含有程序代码，不能接收，请用看图软件另存为 jpg，或重新拍摄后上传。",
        "There is program code in the image. Save it as a JPEG, or take it again.",
    ),
    "metadata_excess": (
        "图片附带信息过多，请用看图软件另存为 jpg，或重新拍摄后上传。",
        "The image carries too much metadata. Save it as a JPEG, or take it again.",
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
    "duplicate": (
        "同一张图片在另一项中已经上传过，请换成这一项要求的材料。",
        "The same image is in another place already. Upload what this item asks for.",
    ),
    "near_duplicate": (
        "与您上传的另一张图片几乎相同，请核对是否传错；如传错，请换成正确的材料。",
        "It is nearly the same as another of your images. Check it, and replace it if it is the wrong one.",
    ),
    "gone": ("图片没有保存成功，请删除后重新上传。", "The image was not kept. Remove it and upload it again."),
}
# What a candidate may hand in all the same after a warning; format, integrity and safety may not.
QUALITY = frozenset({"blank", "blurred", "too_dark", "too_bright", "low_contrast", "orientation", "mirrored"})
# Those of them that an image of a material can get: what is too bright is blank or of low contrast, and that text is
# mirrored is told to staff by the reading. A pack can make these stricter.
CAN_BE_STRICTER = QUALITY - {"too_bright", "mirrored"}
_UNKNOWN = ("图片未通过检查，请重新拍摄后上传。", "The image did not pass the check. Take it again.")


def words_for(code: str) -> Text:
    """The words for a finding's code; general ones for a code that is not known yet."""
    zh, en = _WORDS.get(code, _UNKNOWN)
    return Text(zh=zh, en=en)
