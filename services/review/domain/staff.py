"""Who works here: a role, and the region or site that it is for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from shared.contracts.review import Tier
from shared.errors import Forbidden, Invalid, NotFound

Role = Literal["site_reviewer", "region_reviewer", "region_admin", "national_operator", "auditor"]

_TIERS: dict[Role, Tier] = {"site_reviewer": "site", "region_reviewer": "region", "region_admin": "region"}


@dataclass(frozen=True)
class Staff:
    """A member of staff, as the row says at this moment.

    Attributes:
        region: None for the nation's own staff: the operator, and an auditor of the whole.
        site: None for all but a site's reviewers.
    """

    id: UUID
    login: str
    display_name: str
    role: Role
    region: str | None
    site: str | None

    @property
    def reviews(self) -> bool:
        """True for those who claim, mark and decide."""
        return self.role in _TIERS

    @property
    def tier(self) -> Tier:
        """The tier that this person's acts belong to; those who only read look at things as the region does."""
        return _TIERS.get(self.role, "region")

    def sees(self, region: str, site: str) -> bool:
        """True for applications of one's scope. An auditor reads the audit trail only."""
        if self.role == "auditor":
            return False
        if self.role == "national_operator":
            return True
        return region == self.region and (self.role != "site_reviewer" or site == self.site)

    def sees_opinion(self, published_at: datetime | None, now: datetime) -> bool:
        """Before it takes effect an opinion is known to the region alone; a site's office is near the candidates."""
        return self.tier == "region" or (published_at is not None and published_at <= now)

    def region_asked_for(self, region: str | None) -> str:
        """Which region a question is about: one's own; the nation's staff name one.

        Raises:
            Invalid: they named none (`region-missing`).
            NotFound: it is not this person's (`region-not-found`).
        """
        wanted = region or self.region
        if wanted is None:
            raise Invalid("region-missing", "请选择考区。", "Say which `region`: yours is the whole nation.")
        if self.region not in (None, wanted):
            raise NotFound("region-not-found", "只能查看本考区，请核对考区代码。", "You see your own region only.")
        return wanted

    def must_have_lists(self) -> None:
        """Refuse those who have no applications to look at: an auditor reads the trail only."""
        self.must_be_one_of("site_reviewer", "region_reviewer", "region_admin", "national_operator")

    def must_review(self) -> None:
        """Refuse an act of those who only read."""
        if not self.reviews:
            raise Forbidden(
                "review-act",
                "您的账号不能审核，请使用审核人员账号。",
                "Your account does not review. Use a reviewer's account.",
            )

    def must_be_of(self, tier: Tier) -> None:
        """Refuse an act of the other tier."""
        self.must_review()
        if self.tier == tier:
            return
        if tier == "region":
            raise Forbidden(
                "region-act",
                "该操作由考区审核人员进行，考点账号无此权限。",
                "This is for the region's staff. Pass the application on to the region instead.",
            )
        raise Forbidden(
            "site-act",
            "该操作由考点审核人员进行，考区账号无此权限。",
            "This is for the site's staff. The region decides, returns, or sends back to the site.",
        )

    def must_be_one_of(self, *roles: Role) -> None:
        """Refuse an act of other roles."""
        if self.role not in roles:
            raise Forbidden(
                "role-act",
                "您的账号没有此权限，请联系考区管理员。",
                "Your account may not do this. Ask the region's administrator.",
                roles=sorted(roles),
            )
