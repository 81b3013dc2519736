"""A small pack that is right, as text, to be spoiled by a test."""

from pathlib import Path

SMALL = """\
id: small-2021
version: 1
region: {code: "99", name: {zh: 样例考区, en: Example}}
year: 2021
exam: {zh: 样例考试, en: Example exam}
sites:
  - {code: "9901", name: {zh: 样例考点, en: Example site}}
windows:
  registration: {opens: 2021-01-06T09:00, closes: 2021-01-20T17:00}
  upload: {opens: 2021-01-06T09:00, closes: 2021-02-01T17:00}
  change: {opens: 2021-01-06T09:00, closes: 2021-01-25T17:00}
  review: {opens: 2021-01-10T09:00, closes: 2021-02-20T17:00}
  publishing: {opens: 2021-02-21T09:00, closes: 2021-02-28T17:00}
  payment: {opens: 2021-03-01T09:00, closes: 2021-03-10T17:00}
routes:
  - when: military != "none"
    route: onsite
    uploads: false
    reason: {zh: 您是军队人员, en: because you are in the military}
  - when: size(review_passed_years) > 0
    route: online
    requires: [previous_result]
    reason: {zh: 您往年通过审核, en: because you passed an earlier review}
  - when: "true"
    route: both
    reason: {zh: 其他考生, en: because no other row fits you}
sections:
  - title: {zh: 材料, en: Papers}
    items: [identity, diploma, degree, trial_assessment, previous_result, photo_prints, other]
items:
  identity:
    title: {zh: 身份证明, en: Identity}
    instruction: {zh: 正面、背面、手持, en: Front and back and yourself}
    required_when: "true"
    min: 3
    max: 3
  diploma:
    title: {zh: 毕业证书, en: Diploma}
    instruction: {zh: 毕业证书, en: The diploma}
    reasons:
      - when: diploma_lost
        words: {zh: 您遗失了证书, en: because you lost it}
      - when: graduated_on >= "2015-01-01"
        words: {zh: 您在2015年后毕业, en: because you graduated after 2015}
    required_when: education in ["bachelor", "graduate"]
  degree:
    title: {zh: 学位证书, en: Degree}
    instruction: {zh: 学位证书, en: The degree}
    reason: {zh: 您是研究生, en: because you are a graduate}
    required_when: >-
      education == "graduate" &&
      entered_on >= "2015-01-01"
    offered_when: education == "bachelor"
  trial_assessment:
    title: {zh: 试用期考核, en: Trial period}
    instruction: {zh: 每个机构一份, en: One for each institution}
    required_when: "!upgrading"
    min_by: institutions_count
    max: 5
  previous_result:
    title: {zh: 往年成绩单, en: Earlier result}
    instruction: {zh: 往年成绩单, en: The result}
    offered_when: "false"
  photo_prints:
    title: {zh: 照片, en: Photos}
    instruction: {zh: 照片, en: Two prints}
    channel: onsite
    required_when: "true"
  other:
    title: {zh: 其他, en: Other}
    instruction: {zh: 审核人员要求时上传, en: If asked}
    offered_when: "false"
onsite:
  instruction: {zh: 请带原件, en: Bring the originals}
  catalogue:
    - {item: photo_prints, title: {zh: 照片, en: Photos}, copies: 2}
    - {item: degree, title: {zh: 学位证书, en: Degree}, when: education == "graduate"}
supplements:
  - item: trial_assessment
    when: fresh_graduate
    due: 2021-08-31
    reason: {zh: 试用期未满, en: because your trial period was not full}
reasons:
  unreadable: {zh: 看不清, en: It can't be read}
messages:
  returned:
    sms: "{exam}：{items}需更换，请于{deadline}前处理。"
"""


def a_pack_file(folder: Path, *changes: tuple[str, str], name: str = "small-2021.yaml") -> Path:
    """The small pack with some of its text changed."""
    text = SMALL
    for before, after in changes:
        assert before in text, f"{before!r} is not in the small pack"
        text = text.replace(before, after, 1)
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def line_of(file: Path, words: str) -> int:
    """The first line with these words."""
    return next(number for number, line in enumerate(file.read_text("utf-8").splitlines(), 1) if words in line)
