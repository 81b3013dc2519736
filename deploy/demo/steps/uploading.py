"""Images: what is refused, what is stored, what is checked."""

from uuid import uuid4

from deploy.demo.papers import papers_for
from deploy.demo.scene import Scene, answered, see
from deploy.specimens import spoil


async def incomplete_submit_is_refused(scene: Scene) -> str:
    """Handing in nothing names every missing item."""
    answer = answered(await scene.candidate.submit(), 422, "not-complete")
    missing = {each["item"] for each in answer.json()["missing"]}
    see(missing == set(scene.required), "the missing items are not the required ones")
    return f"{len(missing)} missing items named"


async def bad_files_are_refused(scene: Scene) -> str:
    """Too large, wrong type, empty: each refused with its reason, and nothing stays."""
    who, diploma = scene.candidate, scene.paper("diploma")
    answered(await who.upload("diploma", spoil(diploma, "too_large")), 413, "too_large_bytes")
    answered(await who.upload("diploma", spoil(diploma, "wrong_type")), 415, "unsupported_format")
    answered(await who.upload("diploma", b""), 422, "empty")
    answered(await who.upload("diploma", diploma, name="diploma.pdf"), 415, "extension_mismatch")
    see((await who.items())["diploma"]["images"] == [], "a refused file left something behind")
    return "413, 415, 422 and 415"


async def images_are_uploaded(scene: Scene) -> str:
    """Specimens for every required item that lacks images."""
    count = 0
    for code, item in (await scene.candidate.items()).items():
        if not item["required"]:
            continue
        kinds = papers_for(code, item["min"])[len(item["images"]) :]
        for kind, seed in kinds:
            image_id = uuid4()
            answered(await scene.upload(code, kind, seed, image_id=image_id), 201)
            if seed == 1:
                scene.last_upload = (code, kind, image_id)
            count += 1
    return f"{count} images"


async def a_repeated_upload_is_stored_once(scene: Scene) -> str:
    """The same image under the same id again changes nothing; other bytes are refused."""
    see(scene.last_upload, "nothing was uploaded")
    code, kind, image_id = scene.last_upload or ("", "", uuid4())
    before = len((await scene.candidate.items())[code]["images"])
    answered(await scene.upload(code, kind, image_id=image_id), 200)
    answered(await scene.upload(code, kind, seed=2, image_id=image_id), 422, "image-id-reused")
    see(len((await scene.candidate.items())[code]["images"]) == before, "the repeated upload was stored twice")
    return "same answer, one image"


async def fixed_count_is_held(scene: Scene) -> str:
    """A fourth identity image is refused."""
    answered(await scene.upload("identity", "identity_front", 3), 409, "count-reached")
    return "the fourth identity image was refused"


async def images_are_checked(scene: Scene) -> str:
    """Validation's verdict reaches the page."""
    return f"every one of {await scene.images_checked()} images was looked at"


async def uploads_are_refused(scene: Scene) -> str:
    """The route takes no uploads: the API says so, and why."""
    see(scene.required == [], f"required: {scene.required}")
    problem = answered(await scene.upload("diploma", "diploma"), 409, "no-uploads").json()
    see(problem["detail"], "no reason is given")
    return str(problem["detail"])


async def image_is_replaced(scene: Scene) -> str:
    """The old image goes, a new one comes and is checked."""
    item, image_id = scene.returned
    before = (await scene.candidate.items())[item]["images"]
    answered(await scene.candidate.delete(f"{scene.page_url}/items/{item}/images/{image_id}"), 204)
    answered(await scene.upload(item, "diploma", 2), 201)
    await scene.images_checked()
    after = (await scene.candidate.items())[item]["images"]
    see(len(after) == len(before), "it was not replaced one for one")
    see(image_id not in {image["image_id"] for image in after}, "the old image is still there")
    return "a sharper diploma"
