"""Headings and words of exported tables, in the language that was asked for."""

from collections.abc import Sequence
from typing import Literal

Language = Literal["zh", "en"]

_HEADINGS: dict[str, tuple[str, str]] = {
    "application_no": ("报名编号", "Application"),
    "name": ("姓名（隐去）", "Name (masked)"),
    "id_number": ("证件号码（隐去）", "ID number (masked)"),
    "region": ("考区", "Region"),
    "site": ("考点", "Site"),
    "year": ("年度", "Year"),
    "category": ("报考类别", "Category"),
    "education": ("报考学历", "Education"),
    "route": ("审核方式", "Route"),
    "state": ("状态", "State"),
    "round": ("轮次", "Round"),
    "returns": ("退回次数", "Returns"),
    "submitted_at": ("提交时间（北京时间）", "Submitted (Beijing time)"),
    "due_at": ("应办结时间（北京时间）", "Due (Beijing time)"),
    "opinion": ("终审意见", "Final opinion"),
    "count": ("数量", "Count"),
    "figures_of": ("统计表", "Table"),
    "label": ("统计对象", "Of"),
    "label_2": ("统计对象（二）", "And"),
    "figure": ("指标", "Figure"),
    "tier": ("审核级别", "Tier"),
    "overdue": ("超期", "Overdue"),
    "day": ("日期", "Day"),
    "submitted": ("提交", "Submitted"),
    "returned": ("退回", "Returned"),
    "passed": ("通过考点审核", "Passed by the site"),
    "decided": ("终审", "Decided"),
    "age": ("等待时间", "Waiting"),
    "at_site": ("考点", "At the site"),
    "at_region": ("考区", "At the region"),
    "who": ("审核人员", "Reviewer"),
    "today": ("今日", "Today"),
    "last_7_days": ("近 7 日", "Last 7 days"),
    "item": ("材料项", "Item"),
    "reason": ("退回原因", "Reason"),
    "finding": ("自动检查发现", "Finding"),
    "accepted_in_spite": ("仍予通过", "Accepted all the same"),
    "seq": ("链上序号", "Place in the chain"),
    "at": ("时间（UTC）", "Time (UTC)"),
    "act": ("操作", "Act"),
    "outcome": ("结果", "Outcome"),
    "staff_id": ("账号标识", "Account"),
    "role": ("角色", "Role"),
    "address": ("网络地址", "Address"),
    "device": ("设备", "Device"),
    "detail": ("详情", "Detail"),
    "states": ("状态", "States"),
    "sites": ("各考点", "Sites"),
    "days": ("每日", "Days"),
    "ageing": ("积压", "Ageing"),
    "throughput": ("工作量", "Throughput"),
    "reasons": ("退回原因", "Reasons"),
    "overruled": ("未采纳的检查发现", "Overruled findings"),
    "applications": ("报名", "Applications"),
    "audit": ("审计记录", "Audit trail"),
}
# English tables have the codes themselves: they are what the documentation speaks of.
_VALUES = {
    "submitted": "等待图片检查",
    "at_site": "考点审核中",
    "at_region": "考区审核中",
    "returned": "已退回考生",
    "decided": "已作出决定",
    "withdrawn": "考生已撤回",
    "lapsed": "已失效",
    "approved": "审核通过",
    "rejected": "审核不通过",
    "disqualified": "取消报名资格",
    "online": "线上",
    "onsite": "线下",
    "both": "线上及线下",
    "clinical": "临床",
    "dental": "口腔",
    "public_health": "公共卫生",
    "tcm": "中医",
    "integrated": "中西医结合",
    "ethnic": "民族医",
    "rural_general": "乡村全科",
    "graduate": "研究生",
    "bachelor": "本科",
    "junior_college": "专科",
    "secondary": "中专",
    "apprenticeship": "师承",
    "special_skill": "确有专长",
    "tcm_specialist": "中医（专长）",
    "site": "考点",
    "region": "考区",
}


def heading(name: str, language: Language) -> str:
    """A column's, or a sheet's."""
    return _HEADINGS[name][language == "en"]


def headings(names: Sequence[str], language: Language) -> list[str]:
    """A table's first row."""
    return [heading(name, language) for name in names]


def value(code: str | None, language: Language) -> str:
    """What a code means; the code itself where there are no words for it."""
    if code is None:
        return ""
    return _VALUES.get(code, code) if language == "zh" else code
