"""Who works here: a role, and the region or site that it is for."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from shared.contracts.review import Tier
from shared.errors import Forbidden

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
