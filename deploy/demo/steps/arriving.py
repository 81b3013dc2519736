"""From the region's rules to the candidate's checklist."""

from deploy.demo.cast import open_accounts, publish_rules, register
from deploy.demo.scene import Scene, Step, answered, eventually, see


async def rules_are_published(scene: Scene) -> str:
    """The region's rules go out on rules.published.v1."""
    await publish_rules(scene.environment, scene.cast)
    return f"{scene.cast.pack.id} version {scene.cast.pack.version}"


async def registration_arrives(scene: Scene) -> str:
    """The registration goes out on registration.recorded.v1; accounts are opened."""
    await register(scene.environment, scene.cast)
    await open_accounts(scene.environment, scene.cast)
    return f"报名编号 {scene.cast.application_no}"


async def account_is_activated(scene: Scene) -> str:
    """The first login links the account, with a captcha; before that nobody gets in."""
    number, password, who = scene.cast.application_no, scene.cast.password, scene.candidate

    async def arrived() -> bool:
        # With a captcha each time: too many failures would ask for one anyway.
        answer = await who.log_in(number, password, captcha=await who.captcha())
        return answer.status_code == 403 and answer.json()["code"] == "activation-needed"

    await eventually(arrived, "the candidate's account", every_s=0.3)
    wrong = await who.captcha("not the answer")
    answered(await who.activate(number, password, wrong), 400, "captcha-wrong")
    answered(await who.activate(number, "not the password", await who.captcha()), 401, "login-failed")
    linked = answered(await who.activate(number, password, await who.captcha()), 201).json()
    see(linked["application_no"] == number, "another application was linked")
    return "with a captcha; a wrong one and a wrong password were refused"


async def candidate_logs_in(scene: Scene) -> str:
    """Later logins need no captcha."""
    number, who = scene.cast.application_no, scene.candidate
    answered(await who.log_out(), 204)
    answered(await who.log_in(number, "not the password"), 401, "login-failed")
    answered(await who.log_in(number, scene.cast.password), 201)
    return "a wrong password was refused, the right one taken"


async def checklist_is_seen(scene: Scene) -> str:
    """All items are shown, the required ones marked, each with its reason."""

    async def page() -> bool:
        return (await scene.candidate.get(scene.page_url)).status_code == 200

    await eventually(page, "the application's page")
    items = await scene.candidate.items()
    see(set(items) == set(scene.cast.pack.ordered_items()), "not every item of the pack is shown")
    scene.required = [code for code, item in items.items() if item["required"]]
    if (await scene.candidate.page())["uploads"]:
        see("identity" in scene.required, "identity is not required")
    rule = scene.cast.pack.items["identity"]
    see((items["identity"]["min"], items["identity"]["max"]) == (rule.min, rule.max), "identity has another count")
    return f"{len(items)} items, {len(scene.required)} required"


def requires(*items: str, not_these: tuple[str, ...] = ()) -> Step:
    """A step: the checklist asks for these, and says why; and not for the others."""

    async def asked(scene: Scene) -> str:
        shown = await scene.candidate.items()
        lacking = [code for code in items if not shown[code]["required"]]
        see(not lacking, f"not required: {lacking}")
        surplus = [code for code in not_these if shown.get(code, {}).get("required")]
        see(not surplus, f"required: {surplus}")
        reasons = [shown[code]["reason"] for code in items]
        see(all(reasons), "a required item has no reason")
        return "; ".join(f"{shown[code]['title']['zh']}：{shown[code]['reason']['zh']}" for code in items)

    return asked


def takes_route(route: str, *, uploads: bool = True) -> Step:
    """A step: the page tells the route, and why."""

    async def told(scene: Scene) -> str:
        page = await scene.candidate.page()
        see(page["route"]["route"] == route, f"the route is {page['route']['route']}, not {route}")
        see(page["uploads"] is uploads, f"uploads is {page['uploads']}")
        see(page["route"]["reason"]["zh"], "the route has no reason")
        explained = answered(await scene.candidate.get(f"{scene.page_url}/checklist"), 200).json()
        see((explained["route"], explained["uploads"]) == (route, uploads), "the checklist says something else")
        return str(page["route"]["reason"]["zh"])

    return told


async def onsite_panel_is_seen(scene: Scene) -> str:
    """Where, when and what to bring."""
    onsite = (await scene.candidate.page())["onsite"]
    see(onsite is not None, "nothing is said of the on-site review")
    see(onsite["site"]["name"]["zh"] and onsite["instruction"]["zh"], "no place, or no instruction")
    titles = [line["title"]["zh"] for line in onsite["lines"]]
    see(titles, "nothing is said of what to bring")
    return "、".join(titles)
