"""Invented people: names that carry 样 or 例, and ID numbers of a region that does not exist."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from typing import Literal

Sex = Literal["female", "male"]
Level = Literal["graduate", "bachelor", "junior_college", "secondary"]

REGION_CODE = "999999"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"
_SURNAMES = "林周苏陈沈许顾宋叶夏程方白陆秦温江何"
_GIVEN_NAMES = ("样宁", "例安", "样然", "例恩", "样悦", "例文", "样清", "例欣", "样雯", "例涵", "样岚", "例颖")


@dataclass(frozen=True, slots=True)
class Studies:
    """What the diploma speaks of; `graduated` is None while somebody still studies."""

    level: Level
    entered: dt.date
    graduated: dt.date | None

    @property
    def years(self) -> int:
        """How long the course takes."""
        if self.graduated is None:
            return {"graduate": 3, "bachelor": 5, "junior_college": 3, "secondary": 3}[self.level]
        return max(1, self.graduated.year - self.entered.year)


@dataclass(frozen=True, slots=True)
class Person:
    """Who a specimen speaks of; nobody real.

    Attributes:
        studies: what the diploma says; left out: a bachelor's course of five years from eighteen on.
        exam_year: the year in which forms are stamped; left out: when the person is twenty-five.
    """

    name: str
    id_number: str
    sex: Sex
    birth: dt.date
    ethnicity: str = "汉"
    address: str = "样本省示例市样本区范例路1号2单元301室"
    studies: Studies | None = None
    exam_year: int | None = None

    @property
    def sex_zh(self) -> str:
        """男 or 女, as the papers print it."""
        return "女" if self.sex == "female" else "男"

    @property
    def course(self) -> Studies:
        """The studies that papers speak of."""
        began = self.birth.year + 18
        return self.studies or Studies("bachelor", dt.date(began, 9, 1), dt.date(began + 5, 6, 30))

    @property
    def stamped_in(self) -> int:
        """The year of this year's forms."""
        return self.exam_year or self.birth.year + 25


def check_digit(first_17: str) -> str:
    """The eighteenth character of a GB 11643 number."""
    return _CHECK_DIGITS[sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True)) % 11]


def invented_id_number(birth: dt.date, sex: Sex, serial: int) -> str:
    """A well-formed number of region 999999; the serial (0-499) tells people of one birthday apart."""
    order = serial % 500 * 2 + (sex == "male")  # odd is male, even is female
    first_17 = f"{REGION_CODE}{birth:%Y%m%d}{order:03d}"
    return first_17 + check_digit(first_17)


def invented_person(seed: int = 1) -> Person:
    """The same somebody for the same seed.

    Always a woman, because the one portrait that is free to use and ships in a package shows one.
    """
    rng = random.Random(f"baoshen-person:{seed}")  # noqa: S311  # an invented person is no secret
    birth = dt.date(1990, 1, 1) + dt.timedelta(days=rng.randrange(365 * 9))
    name = rng.choice(_SURNAMES) + rng.choice(_GIVEN_NAMES)
    house = f"{rng.randrange(1, 200)}号{rng.randrange(1, 9)}单元{rng.randrange(1, 19)}0{rng.randrange(1, 5)}室"
    return Person(
        name=name,
        id_number=invented_id_number(birth, "female", rng.randrange(500)),
        sex="female",
        birth=birth,
        address=f"样本省示例市样本区范例路{house}",
    )
