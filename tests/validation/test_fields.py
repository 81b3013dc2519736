"""What read lines say: numbers, names and validity, whatever the recogniser makes of spaces, dashes and noughts."""

# ruff: noqa: E501  a case to a line is a table to read

import pytest

from deploy.specimens import check_digit, invented_person
from services.validation.reading.fields import fields_of
from services.validation.reading.lines import Line, line
from services.validation.reading.numbers import check_digit_fits
from shared.contracts.rules import ReadableField
from shared.contracts.validation import ReadText
from shared.folding import folded

GOOD = "999999199503282265"
WITH_X = "99999919900101" + "006" + "X"
ALL: tuple[ReadableField, ...] = ("id_number", "name", "valid_until", "certificate_number")


def at(text: str, left: float, top: float, score: float = 0.99) -> Line:
    """A line of 40 units' height on a page of 1,000 × 1,000; a Chinese character is as wide as it is high."""
    right = left + sum(40 if char > "ÿ" else 22 for char in text)
    places = (left, top), (right, top), (right, top + 40), (left, top + 40)
    first, second, third, fourth = ((x / 1000, y / 1000) for x, y in places)
    return line(text, score, (left, top, right, top + 40), (first, second, third, fourth))


def rows(*texts: str | tuple[str, ...]) -> list[Line]:
    """A row of the page for each: one line, or several with some space between them."""
    found = []
    for number, row in enumerate(texts):
        left = 50.0
        for text in (row,) if isinstance(row, str) else row:
            found.append(at(text, left, 50 + number * 70))
            left = found[-1].level[2] + 60
    return found


def read(lines: list[Line], *wanted: ReadableField) -> dict[str, str]:
    return {text.field: text.value for text in fields_of(lines, wanted or ALL)}


def the(field: ReadableField, lines: list[Line]) -> ReadText:
    [text] = fields_of(lines, (field,))
    return text


ID_NUMBERS = [
    ("beside its label", [("公民身份号码", GOOD)], GOOD),
    ("in one line with its label", [f"公民身份号码{GOOD}"], GOOD),
    ("with spaces", ["公民身份号码 999999 19950328 2265"], GOOD),
    ("in full-width digits", ["身份证号：９９９９９９１９９５０３２８２２６５"], GOOD),
    ("with capital O for nought", [f"证件编号:{GOOD.replace('0', 'O')}"], GOOD),
    ("with l and I for one", [GOOD.replace("1", "l"), ("性别", "女")], GOOD),
    ("with a small x", [("公民身份号码", WITH_X.lower())], WITH_X),
    ("with a cross for X", [("公民身份号码", WITH_X[:-1] + "×")], WITH_X),
    ("after a watermark's letters", [f"SPECIMEN{GOOD}"], GOOD),
    ("with no label at all", [("姓名", "何样宁"), GOOD], GOOD),
    ("among other numbers", ["证书编号:123456789012345678", ("身份证号", GOOD), "学号 20190001"], GOOD),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "number"), [case[1:] for case in ID_NUMBERS], ids=[case[0] for case in ID_NUMBERS])
def test_an_id_number_is_read(lines: list[str], number: str) -> None:
    text = the("id_number", rows(*lines))

    assert text.value == number
    assert text.check_digit is check_digit_fits(number)


def test_an_id_number_found_in_two_pieces_is_one() -> None:
    lines = [at("公民身份号码", 50, 50), at("999999199", 350, 50), at("503282265", 350 + 9 * 22 + 10, 50)]

    assert the("id_number", lines).value == GOOD


def test_a_wrong_check_digit_is_told() -> None:
    text = the("id_number", rows(("公民身份号码", GOOD[:-1] + "6")))

    assert (text.value, text.check_digit) == (GOOD[:-1] + "6", False)


def test_a_number_whose_check_digit_fits_is_preferred() -> None:
    lines = rows(("公民身份号码", GOOD[:-1] + "6"), ("证件号码", GOOD))

    text = the("id_number", lines)

    assert (text.value, text.check_digit) == (GOOD, True)


@pytest.mark.parametrize(
    "text",
    [
        "证书编号:999992018050000011",  # 18 digits, and no birthday in them
        "证书编码20209999900119950328",
        f"证书编号:{GOOD}",
        GOOD[:-1],
        GOOD + "1",
        "样本SPECIMENSPECIMEN样本",
        "999999199513282265",
        "2021.03.18-2041.03.18",
    ],
)
def test_what_is_no_id_number_is_not_read_as_one(text: str) -> None:
    assert "id_number" not in read(rows(text))


def test_the_check_digit_is_that_of_the_standard() -> None:
    for seed in range(40):
        assert check_digit_fits(invented_person(seed).id_number)
    first = GOOD[:17]
    assert [digit for digit in "0123456789X" if check_digit_fits(first + digit)] == [check_digit(first)]
    assert not check_digit_fits(first)


NAMES = [
    ("beside its label", [("姓名", "何样宁"), ("性别", "女")], "何样宁"),
    ("in one line with its label", ["姓名何样宁"], "何样宁"),
    ("before other labels of the line", ["姓 名：何样宁 性别：女 民族：汉"], "何样宁"),
    ("with a label in two pieces", [("姓", "名", "何样宁")], "何样宁"),
    ("with half of the label at the value", [("姓", "名何样宁")], "何样宁"),
    ("with the label's end twice", [("姓名", "名何样宁")], "何样宁"),
    ("with a label under a watermark", [("姓", "生名何样宁")], "何样宁"),
    ("without the label's first character", ["名何样宁", ("性别", "女")], "何样宁"),
    ("behind a watermark's letter", [("姓名", "S何样宁")], "何样宁"),
    ("behind a space taken for something", ["姓名☑何样宁"], "何样宁"),
    ("of two characters", ["姓名：王样"], "王样"),
    ("of four characters", [("姓名", "欧阳样宁")], "欧阳样宁"),
    ("with a dot", ["姓名 阿依古丽・买买提"], "阿依古丽·买买提"),
    ("below its label", [("姓名", "性别"), ("何样宁", "女")], "何样宁"),
    ("in a diploma", ["学生　何样宁，性别女，一九九五年三月二十", "八日生，于二〇一三年九月至二〇一八年六月在"], "何样宁"),
    ("in a diploma with blanks filled in", [("学生", "何样宁", ",性别女,")], "何样宁"),
    ("in a diploma without commas", ["研究生何样宁性别女，一九九五年"], "何样宁"),
    ("in a degree", ["何样宁，女，一九九五年三月二十八日生，", "在样本医科大学临床医学专业完成了本科学习计"], "何样宁"),
    ("in an award", ["何样宁，女，按规定完成住院医师规范化培"], "何样宁"),
    ("of the holder", ["持证人：何样宁，男，"], "何样宁"),
    ("in what an office certifies", ["兹证明 何样宁 同志"], "何样宁"),
    ("in traditional characters", [("姓名", "張樣寧")], "张样宁"),
    ("beside 姓名 before one in prose", ["学生 李样宁，性别女", ("姓名", "何样宁")], "何样宁"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "name"), [case[1:] for case in NAMES], ids=[case[0] for case in NAMES])
def test_a_name_is_read(lines: list[str], name: str) -> None:
    assert read(rows(*lines), "name") == {"name": name}


@pytest.mark.parametrize(
    "lines",
    [
        [("姓名", "性别", "女")],
        ["姓名"],
        ["法定代表人姓名：范例"],
        ["机构名称示例市样本医院"],
        ["研究生学生证", "学生证专用章"],
        ["在样本医科大学临床医学专业五年制本科学习，修完教学计"],
        ["妇女，儿童"],
        [("性别", "女"), ("民族", "汉")],
    ],
)
def test_what_is_no_name_is_not_read_as_one(lines: list[str]) -> None:
    assert "name" not in read(rows(*lines))


VALIDITIES = [
    ("a card's range", [("有效期限", "2011.03.30-2031.03.30")], "2031-03-30"),
    ("a card's range in one line", ["有效期限 2011.03.30－2031.03.30"], "2031-03-30"),
    ("with a long dash", [("有效期限", "2011.03.30—2031.03.30")], "2031-03-30"),
    ("without a dash", [("有效期限", "2011.03.302031.03.30")], "2031-03-30"),
    ("without some of the dots", [("有效期限", "2011.0330-2031.03.30")], "2031-03-30"),
    ("with O for nought", [("有效期限", "2O11.O3.30-2O31.03.30")], "2031-03-30"),
    ("in two pieces", [("有效期限", "2011.03.30-", "2031.03.30")], "2031-03-30"),
    ("for good", [("有效期限", "2011.03.30-长期")], "long_term"),
    ("for good, alone", ["有效期限：长期"], "long_term"),
    ("for good, in traditional characters", [("有效期限", "2011.03.30-長期")], "long_term"),
    ("a last day", [("有效期至", "2022年7月31日")], "2022-07-31"),
    ("a last day in ISO", ["有效期至：2022-07-31"], "2022-07-31"),
    ("a last day that is cut off at", ["有效期截止日期:2022.7.31"], "2022-07-31"),
    ("a last month", ["有效期至2024年2月"], "2024-02-29"),
    ("from one day to another", [("有效期限", "自2019年6月1日至2034年5月31日")], "2034-05-31"),
    ("in Chinese numerals", ["有效期至 二○三四年十一月二十一日"], "2034-11-21"),
    ("a range whose label was not read", ["签发机关 示例市公安局", "2011.03.30-2031.03.30"], "2031-03-30"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "until"), [case[1:] for case in VALIDITIES], ids=[case[0] for case in VALIDITIES])
def test_a_validity_is_read(lines: list[str], until: str) -> None:
    assert read(rows(*lines), "valid_until") == {"valid_until": until}


@pytest.mark.parametrize(
    "lines",
    [
        [("有效期限", "五年")],
        [("有效期限", "2011.03.30-")],  # its beginning
        [("有效期限", "2011.03.30")],
        [("有效期限", "2031.03.30-2011.03.30")],
        [("有效期至", "2022年13月31日")],
        [("有效期至", "2022年2月30日")],
        [("试用时间", "2018年8月1日至2019年7月31日")],
        [("试用时间", "2018.08.01-2019.07.31")],
        [("签发日期", "二〇二〇年三月六日")],
    ],
)
def test_what_says_no_last_day_is_not_read_as_a_validity(lines: list[str]) -> None:
    assert "valid_until" not in read(rows(*lines))


CERTIFICATES = [
    ("a diploma", ["证书编号：999992018050000011"], "999992018050000011"),
    ("a degree", ["学位证书编号:9999942018001234"], "9999942018001234"),
    ("beside its label", [("证书编码", "220999999000001")], "220999999000001"),
    ("below its label", [("证书编号", "校(院)长"), ("999992018050000011", "范例")], "999992018050000011"),
    ("in traditional characters", ["證書編號：99999201800001"], "99999201800001"),
    ("with O for nought", ["证书编号：99999 2O18 O5OO OOO11"], "999992018050000011"),
    ("behind a space taken for something", ["证书编号☑999992018050000011"], "999992018050000011"),
    ("of an institution", [("登记号", "99999-9001-A1001")], "99999-9001-A1001"),
    ("with a plain label", ["编号：9999201234"], "9999201234"),
    ("with No.", ["编号：No.9999201234"], "9999201234"),
    ("of an old diploma", ["编号 第 0012345 号"], "0012345"),
    ("with letters", ["证书编号：abc20180012"], "ABC20180012"),
    ("a licence that names the qualification, too", ["资格证书编码 202099999001", "执业证书编码 110999999000001"], "110999999000001"),
    ("a qualification that names itself so", ["医师资格证书编码：202099999001"], "202099999001"),
    ("before the school's own number", ["学校编号：20180001", "证书编号：999992018050000011"], "999992018050000011"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "number"), [case[1:] for case in CERTIFICATES], ids=[case[0] for case in CERTIFICATES]
)
def test_a_certificate_number_is_read(lines: list[str], number: str) -> None:
    assert read(rows(*lines), "certificate_number") == {"certificate_number": number}


@pytest.mark.parametrize(
    "lines",
    [
        [("证件编号", GOOD)],
        [("身份证号", GOOD)],
        [("报名编号", "2099990001")],
        [("准考证号", "99999000001")],
        [("资格证书", "200699999110")],
        ["证书编号：", "校（院）长：范例"],
        ["编号：12"],
        ["证书编号：样本"],
    ],
)
def test_what_is_no_certificate_number_is_not_read_as_one(lines: list[str]) -> None:
    assert "certificate_number" not in read(rows(*lines))


def test_only_what_is_wanted_is_read_and_in_that_order() -> None:
    lines = rows(("姓名", "何样宁"), ("公民身份号码", GOOD))

    texts = fields_of(lines, ("name", "valid_until", "id_number", "name"))

    assert [text.field for text in texts] == ["name", "id_number"]
    assert fields_of(lines, ()) == ()


def test_a_value_has_the_place_of_its_characters_alone() -> None:
    label = at("姓名", 50, 50)
    box = the("name", [at("姓名何样宁", 50, 50)]).box

    assert box.left == pytest.approx(label.level[2] / 1000)
    assert (box.top, box.right, box.bottom) == pytest.approx((0.05, 0.25, 0.09))


def test_a_value_in_two_pieces_has_a_place_around_both() -> None:
    lines = [at("公民身份号码", 50, 50), at("999999199", 350, 50), at("503282265", 350 + 9 * 22 + 10, 52)]

    box = the("id_number", lines).box

    assert (box.left, box.top, box.right, box.bottom) == pytest.approx((0.35, 0.05, 0.756, 0.092))


def test_a_value_is_as_sure_as_its_least_sure_line() -> None:
    lines = [at("公民身份号码", 50, 50, 0.5), at("999999199", 350, 50, 0.9), at("503282265", 560, 50, 0.7)]

    assert the("id_number", lines).confidence == 0.7


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("ＡＢＣ　１２３：", "ABC123:"),
        ("漢語證書", "汉语证书"),
        ("二○二○年", "二〇二〇年"),
        ("2011.03.30—2031.03.30", "2011.03.30-2031.03.30"),
        ("买买提・艾力•某", "买买提·艾力·某"),
        ("a|b", "ab"),
        ("", ""),
    ],
)
def test_what_looks_the_same_is_folded_into_one_spelling(text: str, same: str) -> None:
    assert folded(text) == same
    assert folded(same) == same


def test_many_lines_are_gone_through_in_sane_time() -> None:
    """The patterns and the search for neighbours have no case that explodes."""
    crowded = [at("姓名有效期限证书编号" + "9" * 60, 50, 10 * row) for row in range(120)]
    odd = rows("姓名" + "|" * 500, "9" * 5000, "名" * 3000, "有效期" * 1000, "2011.03.30" * 500)

    assert isinstance(read(crowded + odd), dict)
