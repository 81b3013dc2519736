"""What staff do with an application as a whole, and who may not: passes, returns, second looks, send-backs."""

from typing import Any

from deploy.demo.people import Staff
from deploy.demo.scene import Scene, Step, answered, eventually, see
from deploy.demo.steps.desk import claimed, detail, items_of, listed, rows

WORDS = "毕业证书编号无法辨认，请重新拍摄上传。"
ASKED_FOR = "请补充上传户籍变更证明。"
RETURNED = ("diploma", "identity")


async def acted(scene: Scene, who: Staff, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """An act on the whole application, done."""
    done: dict[str, Any] = answered(await who.post(f"{scene.review_url}/{path}", body), 201).json()
    return done


async def accept_all(scene: Scene, who: Staff) -> int:
    """Accept every item that was handed in."""
    handed_in = [code for code, item in items_of(await detail(scene, who)).items() if item["handed_in"]]
    for code in handed_in:
        answered(await who.put(f"{scene.review_url}/items/{code}/mark", {"mark": "accept"}), 200)
    return len(handed_in)


async def name_is_masked_until_claimed(scene: Scene) -> str:
    """Lists mask the name and the ID number; a claim opens the name, the whole ID number is an act of its own."""
    site, person = scene.staff.site, scene.cast.person
    masked = (await listed(scene, site, "new"))["candidate_masked"]
    see(person.name not in masked["name"] and person.id_number not in masked["id_number"], "a list tells who it is")
    answered(await site.post(f"{scene.review_url}/id-number"), 409, "not-claimed")
    await claimed(scene, site)
    shown = (await detail(scene, site))["candidate"]
    see(shown["name"] == person.name, "a claim does not open the name")
    see(person.id_number not in str(shown), "the whole ID number shows")
    told = answered(await site.post(f"{scene.review_url}/id-number"), 201).json()
    see(told["id_number"] == person.id_number, "another ID number was shown")
    return f"{masked['name']} {masked['id_number']}"


async def search_finds_it(scene: Scene) -> str:
    """By number, by whole name, and by ID number, which is only kept as a keyed hash."""
    person, number = scene.cast.person, scene.cast.application_no
    for q in (number, person.name, person.id_number):
        found = answered(await scene.staff.site.post("/reviews/searches", {"q": q}), 200).json()["items"]
        see(number in [row["application_no"] for row in found], f"not found by {len(q)} characters")
    nobody = answered(await scene.staff.site.post("/reviews/searches", {"q": "11010119000101001X"}), 200).json()
    see(nobody["items"] == [], "somebody is found by an ID number that nobody has")
    return "by number, name and ID number"


async def strangers_find_nothing(scene: Scene) -> str:
    """The auditor has no applications; the site may not decide."""
    site, auditor = scene.staff.site, scene.staff.auditor
    refused = await auditor.get(scene.review_url)
    see(refused.status_code in {403, 404}, f"the auditor got {refused.status_code}")
    body = {"outcome": "approved", "words": ""}
    answered(await site.post(f"{scene.review_url}/decisions", body), 403, "region-act")
    return "404 for the auditor, 403 for the site's decision"


async def pass_is_undone(scene: Scene) -> str:
    """Passed by mistake: undone before anybody is told, with the claim and the marks as they were."""
    site = scene.staff.site
    count = await accept_all(scene, site)
    act = (await acted(scene, site, "passes"))["act"]
    see(act and act["kind"] == "pass", "the act can't be undone")
    see(scene.cast.application_no not in await rows(scene.staff.region, state="waiting"), "the region is offered it")
    answered(await site.delete(f"{scene.review_url}/acts/{act['act_id']}"), 204)
    found = await detail(scene, site)
    marks = [code for code, item in items_of(found).items() if (item["mark"] or {}).get("mark") == "accept"]
    see(found["claimed_by_me"] and found["state"] == "at_site", "it did not come back")
    see(len(marks) == count, f"{len(marks)} marks are left of {count}")
    return f"{count} marks kept"


async def site_passes_it(scene: Scene) -> str:
    """Passed; told once the time for undoing is over."""
    site = scene.staff.site
    await accept_all(scene, site)
    act = (await acted(scene, site, "passes"))["act"]
    await listed(scene, scene.staff.region, "new")
    answered(await site.delete(f"{scene.review_url}/acts/{act['act_id']}"), 409, "act-told")
    return "in the region's queue; too late to undo"


async def site_claims_and_passes(scene: Scene) -> str:
    """From the site's queue to the region's."""
    await claimed(scene, scene.staff.site)
    await accept_all(scene, scene.staff.site)
    await acted(scene, scene.staff.site, "passes")
    await listed(scene, scene.staff.region, "new")
    return "in the region's queue"


def region_decides(outcome: str, words: str) -> Step:
    """A step: the region claims and decides."""

    async def decided(scene: Scene) -> str:
        region = scene.staff.region
        await claimed(scene, region)
        await acted(scene, region, "decisions", {"outcome": outcome, "words": words})
        return await is_decided(scene, outcome)

    return decided


async def is_decided(scene: Scene, outcome: str) -> str:
    """See that it has this opinion, and that the candidate knows nothing of it."""

    async def settled() -> bool:
        found = await detail(scene, scene.staff.admin)
        return bool(found["state"] == "decided" and found["opinion"] == outcome)

    await eventually(settled, f"the opinion {outcome}")
    page = await scene.candidate.page()
    see(page["opinion"] is None and page["state"] == "submitted", "the candidate is told before publication")
    return f"{outcome}; the candidate is told nothing yet"


async def two_items_are_returned(scene: Scene) -> str:
    """Two items with words, and one more that is asked for, given back in one act."""
    site = scene.staff.site
    await claimed(scene, site)
    await accept_all(scene, site)
    answered(await site.put(f"{scene.review_url}/items/diploma/mark", {"mark": "return"}), 422, "reason-missing")
    wrong = {"mark": "return", "reason_code": "no_such_reason", "words": WORDS}
    answered(await site.put(f"{scene.review_url}/items/diploma/mark", wrong), 422, "reason-unknown")
    answered(await site.put(f"{scene.review_url}/items/no_such_item/mark", {"mark": "accept"}), 404)
    for code in RETURNED:
        body = {"mark": "return", "reason_code": "unreadable", "words": WORDS}
        answered(await site.put(f"{scene.review_url}/items/{code}/mark", body), 200)
    other = {"mark": "return", "reason_code": "unreadable", "words": ASKED_FOR}
    answered(await site.put(f"{scene.review_url}/items/other/mark", other), 200)
    answered(await site.post(f"{scene.review_url}/passes"), 422, "items-marked-return")
    scene.heard |= {each["id"] for each in await scene.messages()}
    done = await acted(scene, site, "returns")
    see(len(done["items"]) == len(RETURNED) + 1, f"{len(done['items'])} items were returned")
    return "two items, and 其他 asked for"


async def exactly_those_are_unlocked(scene: Scene) -> str:
    """Those items, and nothing else; what was asked for is required now."""
    await scene.state_is("returned")
    items = await scene.candidate.items()
    unlocked = sorted(code for code, item in items.items() if not item["locked"])
    see(unlocked == sorted([*RETURNED, "other"]), f"unlocked: {unlocked}")
    see(items["other"]["required"], "what was asked for is not required")
    return "、".join(unlocked)


async def returned_items_are_replaced(scene: Scene) -> str:
    """One new image for each, and a sheet for what was asked for."""
    items = await scene.candidate.items()
    kinds = {"diploma": "diploma", "identity": "identity_front", "other": "diploma"}
    for seed, (code, kind) in enumerate(kinds.items(), 5):
        for image in items[code]["images"][:1]:
            url = f"{scene.page_url}/items/{code}/images/{image['image_id']}"
            answered(await scene.candidate.delete(url), 204)
        answered(await scene.upload(code, kind, seed), 201)
    await scene.images_checked()
    return "replaced and checked"


async def old_revision_is_refused(scene: Scene) -> str:
    """A late decision on the older round: 409, with what changed."""
    site = scene.staff.site
    await claimed(scene, site, "resubmitted")
    problem = answered(await site.post(f"{scene.review_url}/passes", {"revision": 1}), 409, "revision-changed").json()
    see("diploma" in str(problem.get("changed_items")), "it does not say what changed")
    return str(problem["detail"])


async def only_changed_is_marked(scene: Scene) -> str:
    """The resubmission comes back with exactly the changed items to be looked at; the other marks are kept."""
    items = items_of(await detail(scene, scene.staff.site))
    changed = sorted(code for code, item in items.items() if item["changed"])
    see(changed == sorted([*RETURNED, "other"]), f"marked as changed: {changed}")
    kept = [code for code, item in items.items() if item["mark"] and code not in changed]
    see(kept, "no mark of the round before is kept")
    replaced = [image for image in items["diploma"]["images"] if not image["current"]]
    see(replaced and replaced[0]["replaced"]["why"], "the replaced image, or why, is not shown")
    return f"{len(changed)} changed, {len(kept)} accepted before"


async def region_sends_back(scene: Scene) -> str:
    """The region wants the site to look again; the candidate hears nothing."""
    region = scene.staff.region
    await claimed(scene, region)
    answered(await region.post(f"{scene.review_url}/send-backs", {"words": ""}), 422)
    await acted(scene, region, "send-backs", {"words": "请核对毕业证书编号。"})
    await listed(scene, scene.staff.site, "sent_back")
    page = await scene.candidate.page()
    see(page["state"] == "submitted" and page["locked"], "the candidate sees the send-back")
    return "in the site's list of those sent back"


async def site_sees_why(scene: Scene) -> str:
    """The region's words stand in the history."""
    await claimed(scene, scene.staff.site, "sent_back")
    lines = (await detail(scene, scene.staff.site))["history"]
    see(any("请核对毕业证书编号" in str(line["detail"]) for line in lines), "the region's words are not shown")
    return "请核对毕业证书编号。"


async def region_proposes_rejection(scene: Scene) -> str:
    """The rules ask for a second reviewer: a rejection is a proposal first."""
    region = scene.staff.region
    await claimed(scene, region)
    answered(await region.post(f"{scene.review_url}/decisions", {"outcome": "rejected", "words": ""}), 422)
    body = {"outcome": "rejected", "words": "学历不符合报考条件。"}
    done = await acted(scene, region, "decisions", body)
    see(done["proposed"] and done["state"] == "at_region", "it was decided by one person")
    row = await listed(scene, scene.staff.second, "second_look")
    see(row["proposed"] == "rejected", "the list does not say what is proposed")
    return "waits for a second look"


async def proposer_may_not_agree(scene: Scene) -> str:
    """Never the same person."""
    answered(await scene.staff.region.claim(scene.cast.application_no), 409, "same-reviewer")
    return "409"


async def second_reviewer_agrees(scene: Scene) -> str:
    """Another reviewer of the region looks, and agrees."""
    second = scene.staff.second
    await claimed(scene, second, "second_look")
    proposed = (await detail(scene, second))["proposed"]
    see(proposed["opinion"] == "rejected" and not proposed["mine"], "the proposal is not shown")
    await acted(scene, second, "second-looks", {"agree": True, "words": ""})
    return await is_decided(scene, "rejected")


async def false_material_is_recorded(scene: Scene) -> str:
    """The site puts it on record, with the image."""
    site = scene.staff.site
    await claimed(scene, site)
    image = items_of(await detail(scene, site))["diploma"]["images"][0]["image_id"]
    body = {"item": "diploma", "image_ids": [image], "words": "毕业证书与发证机构的答复不符。"}
    await acted(scene, site, "false-material", body)
    see(len((await detail(scene, site))["false_materials"]) == 1, "it is not on record")
    return str(body["words"])


async def site_recommends_disqualification(scene: Scene) -> str:
    """A site can't disqualify: it recommends, and the region sees it."""
    site, region = scene.staff.site, scene.staff.region
    recommends = {"opinion": "disqualified", "words": "提供虚假材料。"}
    await acted(scene, site, "passes", {"recommends": recommends})
    row = await listed(scene, region, "new")
    see(row["recommended"] == "disqualified", "the list does not say what is recommended")
    answered(await region.claim(scene.cast.application_no), 200)
    found = await detail(scene, region)
    see(found["recommended"]["words"] == "提供虚假材料。", "the recommendation is not shown")
    see(len(found["false_materials"]) == 1, "the record is not shown to the region")
    return "提供虚假材料。"


async def region_disqualifies(scene: Scene) -> str:
    """The region confirms."""
    await acted(scene, scene.staff.region, "decisions", {"outcome": "disqualified", "words": "提供虚假材料。"})
    return await is_decided(scene, "disqualified")


async def withdrawal_ends_the_claim(scene: Scene) -> str:
    """While a reviewer holds it, the candidate withdraws: the claim is gone, and a late pass is refused."""
    site = scene.staff.site
    await claimed(scene, site)
    await accept_all(scene, site)
    answered(await scene.candidate.withdraw(), 201)

    async def gone() -> bool:
        return bool((await detail(scene, site))["state"] == "withdrawn")

    await eventually(gone, "the withdrawal at the site")
    refused = answered(await site.post(f"{scene.review_url}/passes"), 409)
    see(scene.cast.application_no not in await rows(site, state="waiting"), "it is still in the queue")
    return str(refused.json()["detail"])


async def handed_in_again_is_in_the_queue(scene: Scene) -> str:
    """Handed in again it begins at the site."""
    await claimed(scene, scene.staff.site, "resubmitted")
    await accept_all(scene, scene.staff.site)
    await acted(scene, scene.staff.site, "passes")
    await listed(scene, scene.staff.region, "new")
    return "passed in round 2"
