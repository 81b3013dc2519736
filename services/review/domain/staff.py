"""Who reviews: a role, and the region or site that it is for."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from shared.contracts.review import Tier
from shared.errors import Forbidden

Role = Literal["site_reviewer", "region_reviewer", "region_admin"]


@dataclass(frozen=True)
class Staff:
    """A member of staff, as the row says at this moment."""

    id: UUID
    login: str
    display_name: str
    role: Role
    region: str
    site: str | None

    @property
    def tier(self) -> Tier:
        """The tier that this person's acts belong to."""
        return "site" if self.role == "site_reviewer" else "region"

    def sees(self, region: str, site: str) -> bool:
        """True for applications of one's own region, and of one's own site where one belongs to a site."""
        return region == self.region and (self.tier == "region" or site == self.site)

    def must_be_of(self, tier: Tier) -> None:
        """Refuse an act of the other tier."""
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
