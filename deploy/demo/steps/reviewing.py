"""What staff do, and what the candidate hears of it."""

from typing import Any

from deploy.demo.scene import Scene, answered, see
from deploy.demo.steps.desk import claimed, detail, items_of

WORDS = "毕业证书编号无法辨认，请重新拍摄上传。"
_RETURNED = "diploma"


async def staff_log_in(scene: Scene) -> str:
    """Two reviewers of the site, two of the region, its administrator and its auditor log in."""
    cast, staff = scene.cast, scene.staff
    people = {
        cast.site_logins[0]: staff.site,
        cast.site_logins[1]: staff.colleague,
        cast.region_login: staff.region,
        cast.second_login: staff.second,
        cast.admin_login: staff.admin,
        cast.auditor_login: staff.auditor,
    }
    for login, who in people.items():
        answered(await who.log_in(login, cast.password), 201)
    return "two of the site, two of the region, its administrator, its auditor"


async def site_claims(scene: Scene) -> str:
    """The application appears in the site's queue and is claimed."""
    await claimed(scene, scene.staff.site)
    return "from the queue"


async def second_claim_is_refused(scene: Scene) -> str:
    """A colleague can't have it too; the region can't yet."""
    answered(await scene.staff.colleague.claim(scene.cast.application_no), 409)
    return "the colleague got 409"


async def staff_see_the_image(scene: Scene) -> str:
    """The reviewer sees exactly the bytes that the candidate uploaded."""
    image = items_of(await detail(scene, scene.staff.site))[_RETURNED]["images"][0]
    shown = answered(await scene.staff.site.get(image["url"]), 200)
    see(shown.content == scene.paper("diploma"), "it is not the image that was uploaded")
    scene.returned = (_RETURNED, image["image_id"])
    return f"{len(shown.content)} bytes, as uploaded"


async def item_is_returned(scene: Scene) -> str:
    """The diploma is given back with words; the rest is accepted."""
    scene.heard |= {each["id"] for each in await scene.messages()}
    for code in scene.required:
        body: dict[str, Any] = {"mark": "accept"}
        if code == _RETURNED:
            body = {"mark": "return", "reason_code": "unreadable", "words": WORDS, "image_ids": [scene.returned[1]]}
        answered(await scene.staff.site.put(f"{scene.review_url}/items/{code}/mark", body), 200)
    answered(await scene.staff.site.post(f"{scene.review_url}/returns"), 201)
    return WORDS


async def exactly_that_item_is_unlocked(scene: Scene) -> str:
    """The diploma, and nothing else, can be changed."""
    await scene.state_is("returned")
    unlocked = [code for code, item in (await scene.candidate.items()).items() if not item["locked"]]
    see(unlocked == [_RETURNED], f"unlocked: {unlocked}")
    answered(await scene.upload("identity", "identity_front"), 409, "item-locked")
    return _RETURNED


async def feedback_is_on_top(scene: Scene) -> str:
    """The newest feedback, with its time and words."""
    newest = (await scene.candidate.page())["feedback"][0]
    see(newest["items"][0]["words"] == WORDS and newest["at"], "the feedback has other words, or no time")
    see(newest["tier"] == "site", "the feedback is not the site's")
    return str(newest["at"])


async def sms_is_received(scene: Scene) -> str:
    """One SMS at the provider."""
    return await scene.next_sms()


async def inbox_notice_is_received(scene: Scene) -> str:
    """One in-app message about the return."""
    return await scene.notice("returned")


async def site_passes(scene: Scene) -> str:
    """The site sees only the changed item marked as changed, accepts it and passes."""
    await claimed(scene, scene.staff.site)
    changed = [code for code, item in items_of(await detail(scene, scene.staff.site)).items() if item["changed"]]
    see(changed == [_RETURNED], f"marked as changed: {changed}")
    answered(await scene.staff.site.put(f"{scene.review_url}/items/{_RETURNED}/mark", {"mark": "accept"}), 200)
    answered(await scene.staff.site.post(f"{scene.review_url}/passes"), 201)
    return "to the region"


async def site_passes_at_once(scene: Scene) -> str:
    """The site finds nothing to return."""
    await claimed(scene, scene.staff.site)
    for code in scene.required:
        answered(await scene.staff.site.put(f"{scene.review_url}/items/{code}/mark", {"mark": "accept"}), 200)
    answered(await scene.staff.site.post(f"{scene.review_url}/passes"), 201)
    return "to the region"


async def region_approves(scene: Scene) -> str:
    """The site may not decide; the region claims and approves."""
    body = {"outcome": "approved", "words": "材料齐全，审核通过。"}
    answered(await scene.staff.site.post(f"{scene.review_url}/decisions", body), 403)
    await claimed(scene, scene.staff.region)
    answered(await scene.staff.region.post(f"{scene.review_url}/decisions", body), 201)
    return "approved"
