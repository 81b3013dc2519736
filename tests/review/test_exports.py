"""Exports: whose rows, what they show, that no cell becomes a formula, and that each export is on record."""

import csv
import io
from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from typing import Any

import httpx
import openpyxl
import pytest

from services.review import exporting
from services.review.api import exports as api
from services.review.domain import Staff
from services.review.queries import exports as queries
from shared import clock
from shared.contracts.event import Person
from tests.builders.review import PERSON
from tests.review.conftest import ReviewUnderTest
from tests.review.many import there_are

FORMULA = '=HYPERLINK("http://evil.invalid","click")'


def table(answer: httpx.Response) -> list[dict[str, str]]:
    """A CSV's rows by heading."""
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def workbook(content: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(content))


async def exported(review: ReviewUnderTest) -> list[dict[str, Any]]:
    lines = await review.rows("SELECT * FROM audit WHERE act = 'exported' AND outcome = 'done' ORDER BY line_id")
    return [line["detail"] | {"by": line["staff_id"], "region": line["region"]} for line in lines]


def sealed(review: ReviewUnderTest, name: str) -> str:
    return review.key_ring.seal("15", 2021, PERSON.model_copy(update={"name": name})).model_dump_json()


async def test_applications_come_with_masked_names_and_are_on_record_before_and_after(review: ReviewUnderTest) -> None:
    numbers = await there_are(review, 2, "at_site", sealed=sealed(review, "王小明"))
    await there_are(review, 1, "at_site", first=10, site="1502")
    region = await review.desk("region")

    answer = await region.get("/exports/applications.csv", site="1501", state="at_site")

    rows = table(answer)
    assert [row["报名编号"] for row in rows] == numbers
    assert (rows[0]["姓名（隐去）"], rows[0]["证件号码（隐去）"]) == ("王**", "999***********1234")
    assert (rows[0]["状态"], rows[0]["报考类别"], rows[0]["报考学历"]) == ("考点审核中", "临床", "本科")
    assert (rows[0]["提交时间（北京时间）"], rows[0]["应办结时间（北京时间）"]) == ("2021-03-01 10:00:00", "")
    assert PERSON.id_number not in answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["cache-control"] == "private, no-store"
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith('attachment; filename="applications-')
    assert disposition.isascii()
    about = {"export": "applications", "format": "csv", "filter": {"site": "1501", "state": "at_site"}}
    who = {"by": review.people["region"], "region": "15"}
    assert await exported(review) == [about | who | {"step": "begun"}, about | who | {"step": "ended", "rows": 2}]


async def test_a_name_that_is_a_formula_is_text_in_both_formats(review: ReviewUnderTest) -> None:
    await there_are(review, 1, "at_site", sealed=sealed(review, FORMULA))
    region = await review.desk("region")

    as_csv = table(await region.get("/exports/applications.csv"))[0]
    as_xlsx = await region.get("/exports/applications.xlsx")

    assert as_csv["姓名（隐去）"].startswith("'=*")
    assert as_xlsx.headers["content-type"] == exporting.MEDIA_TYPES["xlsx"]
    cell = workbook(as_xlsx.content)["报名"]["B2"]
    assert (cell.data_type, cell.value[0]) == ("s", "=")


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '"=1', "  =1", "'=1", "＝1", "\n=1", FORMULA],
)
def test_what_a_spreadsheet_takes_for_a_formula_gets_an_apostrophe(cell: str) -> None:
    assert exporting.defused(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["", "王**", "a=b", "15000001", "2021-03-01 10:00:00", "—", "1-3d", ">7d"])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert exporting.defused(cell) == cell


async def chunks_of(*lines: Sequence[str]) -> AsyncGenerator[Sequence[Sequence[str]], None]:
    yield lines


async def test_a_whole_formula_reaches_no_spreadsheet(review: ReviewUnderTest) -> None:
    blocks = [block async for block in exporting.csv_of(["a", "b"], chunks_of([FORMULA, 'say "x",\nthen y']))]
    file = await exporting.xlsx_of("s", ["a", "b"], chunks_of([FORMULA, "http://evil.invalid"]))
    content = b"".join([block async for block in exporting.blocks_of(file)])

    assert b"".join(blocks).decode("utf-8-sig") == (
        'a,b\r\n"\'=HYPERLINK(""http://evil.invalid"",""click"")","say ""x"",\nthen y"\r\n'
    )
    formula, link = workbook(content)["s"][2]
    assert (formula.data_type, formula.value) == ("s", FORMULA)
    assert (link.hyperlink, link.value) == (None, "http://evil.invalid")
    assert file.closed


async def test_five_thousand_rows_come_chunk_by_chunk_and_all_of_them_once(review: ReviewUnderTest) -> None:
    numbers = await there_are(review, 5000, "at_site", sealed=sealed(review, "王小明"))
    by = Staff(review.people["region"], "region", "考区", "region_reviewer", "15", None)

    read = queries.application_lines(review.service.sessions, review.key_ring, by, queries.ApplicationFilters(), "zh")
    sizes = [len(chunk) async for chunk in read]
    as_csv = table(await (await review.desk("region")).get("/exports/applications.csv"))
    as_xlsx = await (await review.desk("region")).get("/exports/applications.xlsx", lang="en")

    assert (len(sizes), max(sizes)) == (10, 500)
    assert [row["报名编号"] for row in as_csv] == numbers
    sheet = workbook(as_xlsx.content)["Applications"]
    assert (sheet.max_row, sheet["A1"].value, sheet["J2"].value) == (5001, "Application", "at_site")
    assert [line["rows"] for line in await exported(review) if line["step"] == "ended"] == [5000, 5000]


async def test_site_staff_see_no_opinion_before_it_takes_effect(review: ReviewUnderTest) -> None:
    early, late, open_ = await there_are(review, 3, "decided", opinion="rejected", words="不符")
    for number, hours in ((early, -1), (late, 1)):
        await review.execute(
            "UPDATE reviews SET published_at = :at WHERE application_no = :no",
            at=clock.now() + timedelta(hours=hours),
            no=number,
        )

    of_site = table(await (await review.desk("site")).get("/exports/applications.csv"))
    of_region = table(await (await review.desk("region")).get("/exports/applications.csv"))

    assert {row["报名编号"]: row["终审意见"] for row in of_site} == {early: "审核不通过", late: "", open_: ""}
    assert {row["终审意见"] for row in of_region} == {"审核不通过"}


async def test_nobody_gets_another_region_s_or_site_s_rows(review: ReviewUnderTest) -> None:
    own = await there_are(review, 2, "at_site")
    await there_are(review, 2, "at_site", first=10, site="1502")
    foreign = await there_are(review, 2, "at_site", first=20, region="43", site="4301")
    site, other = await review.desk("site"), await review.desk("otherregion")

    of_site = table(await site.get("/exports/applications.csv"))
    of_other = table(await other.get("/exports/applications.csv"))
    refused = [
        await site.get("/exports/applications.csv", site="1502"),
        await site.get("/exports/applications.csv", region="43"),
        await other.get("/exports/applications.csv", region="15"),
        await other.get("/exports/applications.csv", site="1501"),
    ]

    assert [row["报名编号"] for row in of_site] == own
    assert [row["报名编号"] for row in of_other] == foreign
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [
        (404, "site-not-found"), (404, "region-not-found"), (404, "region-not-found"), (404, "nothing-to-export"),
    ]  # fmt: skip


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_a_filter_that_matches_nothing_is_404_and_says_what_to_change(review: ReviewUnderTest, form: str) -> None:
    await there_are(review, 1, "at_site")
    region = await review.desk("region")

    answer = await region.get(f"/exports/applications.{form}", category="dental")

    assert (answer.status_code, answer.json()["code"]) == (404, "nothing-to-export")
    assert "放宽" in answer.json()["detail"]
    assert await exported(review) == []


async def test_filters_that_are_none_are_422(review: ReviewUnderTest) -> None:
    region = await review.desk("region")

    answers = [
        await region.get("/exports/applications.pdf"),
        await region.get("/exports/applications.csv", state="everything"),
        await region.get("/exports/applications.csv", category="' OR 1=1"),
    ]

    assert [answer.status_code for answer in answers] == [422, 422, 422]


async def test_the_operator_exports_all_regions_or_one(review: ReviewUnderTest) -> None:
    numbers = await there_are(review, 1, "at_site")
    foreign = await there_are(review, 1, "at_site", first=20, region="43", site="4301")
    await review.execute("UPDATE staff SET role = 'national_operator', region = NULL WHERE login = 'region'")
    operator = await review.desk("region")

    everything = table(await operator.get("/exports/applications.csv"))
    one = table(await operator.get("/exports/applications.csv", region="43"))

    assert [row["报名编号"] for row in everything] == numbers + foreign
    assert [row["报名编号"] for row in one] == foreign


async def test_a_workbook_that_would_be_too_large_is_refused_and_csv_is_not(
    review: ReviewUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    await there_are(review, 4, "at_site")
    monkeypatch.setattr(api, "MOST_XLSX_ROWS", 3)
    region = await review.desk("region")

    refused = await region.get("/exports/applications.xlsx")
    taken = await region.get("/exports/applications.csv")

    assert (refused.status_code, refused.json()["code"], refused.json()["most"]) == (422, "export-too-large", 3)
    assert len(table(taken)) == 4


async def test_an_export_that_breaks_off_is_on_record_as_such(
    review: ReviewUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    await there_are(review, 1200, "at_site")
    opened, seen = queries.person_of, 0

    def breaks(key_ring: Any, sealed: Any) -> Person | None:
        nonlocal seen
        seen += 1
        if seen > 600:
            raise RuntimeError
        return opened(key_ring, sealed)

    monkeypatch.setattr(queries, "person_of", breaks)
    region = await review.desk("region")

    as_xlsx = await region.get("/exports/applications.xlsx")

    assert as_xlsx.status_code == 500
    assert [(line["step"], line.get("rows")) for line in await exported(review)] == [("begun", None), ("cut_off", 500)]


async def test_the_dashboard_s_tables_are_a_workbook(review: ReviewUnderTest) -> None:
    await there_are(review, 3, "at_site")
    admin = await review.desk("admin")

    answer = await admin.get("/exports/progress.xlsx", year=2021)
    empty = await admin.get("/exports/progress.xlsx", year=2030)

    book = workbook(answer.content)
    assert book.sheetnames == ["状态", "各考点", "每日", "积压", "工作量", "退回原因", "未采纳的检查发现"]
    assert [cell.value for cell in book["状态"][2]] == ["考点", "考点审核中", "3"]
    assert book["每日"].max_row == 61
    assert (empty.status_code, empty.json()["code"]) == (404, "nothing-to-export")
    assert [(line["export"], line["step"]) for line in await exported(review)] == [
        ("progress", "begun"),
        ("progress", "ended"),
    ]


async def test_the_dashboard_s_figures_are_one_csv_with_a_line_for_each(review: ReviewUnderTest) -> None:
    await there_are(review, 3, "at_site")
    await there_are(review, 2, "at_region", first=10, site="1502")
    await review.execute("UPDATE staff SET display_name = :name WHERE login = 'site'", name=FORMULA)
    admin = await review.desk("admin")

    rows = table(await admin.get("/exports/progress.csv", year=2021))
    of_site = table(await admin.get("/exports/progress.csv", year=2021, site="1502", lang="en"))
    empty = await admin.get("/exports/progress.csv", year=2030)

    assert list(rows[0].values()) == ["状态", "考区", "考区审核中", "数量", "2"]
    assert {row["统计表"] for row in rows} == {"状态", "各考点", "每日", "积压", "工作量"}
    assert ["各考点", "1501", "考点审核中", "数量", "3"] in [list(row.values()) for row in rows]
    assert "'" + FORMULA in {row["统计对象"] for row in rows}
    assert [list(row.values()) for row in of_site if row["Table"] == "States"] == [
        ["States", "region", "at_region", "Count", "2"]
    ]
    assert (empty.status_code, empty.json()["code"]) == (404, "nothing-to-export")
    begun, ended, _, at_site = await exported(review)
    assert begun == {
        "export": "progress", "format": "csv", "filter": {"region": "15", "year": "2021"}, "step": "begun",
        "by": admin.staff_id, "region": "15",
    }  # fmt: skip
    assert ended == begun | {"step": "ended", "rows": len(rows)}
    assert (at_site["filter"]["site"], at_site["rows"]) == ("1502", len(of_site))


async def test_whoever_has_no_dashboard_has_no_figures_as_csv(review: ReviewUnderTest) -> None:
    await there_are(review, 1, "at_site")
    site, other = await review.desk("site"), await review.desk("otherregion")

    refused = [
        await site.get("/exports/progress.csv", site="1502"),
        await other.get("/exports/progress.csv", region="15"),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [
        (404, "site-not-found"), (404, "region-not-found"),
    ]  # fmt: skip


async def test_the_operator_names_the_region_of_a_site(review: ReviewUnderTest) -> None:
    await there_are(review, 1, "at_site")
    foreign = await there_are(review, 1, "at_site", first=20, region="43", site="1501")
    await review.execute("UPDATE staff SET role = 'national_operator', region = NULL WHERE login = 'region'")
    operator = await review.desk("region")

    nowhere = await operator.get("/exports/applications.csv", site="1501")
    one = table(await operator.get("/exports/applications.csv", site="1501", region="43"))

    assert (nowhere.status_code, nowhere.json()["code"]) == (422, "region-missing")
    assert [row["报名编号"] for row in one] == foreign


async def test_the_auditor_exports_the_trail_and_nothing_else(review: ReviewUnderTest) -> None:
    await there_are(review, 1, "at_site")
    await review.execute("UPDATE staff SET role = 'auditor' WHERE login = 'region'")
    auditor, admin = await review.desk("region"), await review.desk("admin")
    await admin.get("/exports/applications.csv")

    as_csv = table(await auditor.get("/exports/audit.csv", act="exported"))
    as_xlsx = await auditor.get("/exports/audit.xlsx", act="exported", lang="en")
    nothing = await auditor.get("/exports/audit.csv", act="never_done")
    others = [
        await auditor.get("/exports/applications.csv"),
        await auditor.get("/exports/progress.xlsx"),
        await admin.get("/exports/audit.csv"),
    ]

    assert [(row["操作"], row["审核人员"], row["结果"]) for row in as_csv] == [("exported", "审核员 admin", "done")] * 2
    assert '"step": "ended"' in as_csv[0]["详情"]
    sheet = workbook(as_xlsx.content)["Audit trail"]
    assert (sheet["C2"].value, sheet.max_row) == ("exported", 5)
    assert (nothing.status_code, nothing.json()["code"]) == (404, "nothing-to-export")
    assert {(answer.status_code, answer.json()["code"]) for answer in others} == {(403, "role-act")}
