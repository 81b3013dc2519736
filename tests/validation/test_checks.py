"""Validation from its edges: it hears of uploads and removals, and tells verdicts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from services.validation.consumers import make_router
from services.validation.main import build
from services.validation.pictures import Pictures
from services.validation.settings import Settings
from services.validation.use_cases import checks
from services.validation.workers import Workers
from shared.contracts.upload import MaterialUploaded
from shared.contracts.validation import MaterialChecked
from shared.storage import ObjectGone, Storage
from tests.builders.papers import a_paper
from tests.harness import record_of, running
from tests.validation.conftest import Validation, a_removal, an_upload
from tests.validation.pictures import a_jpeg, a_png, a_png_bomb


async def test_a_sound_image_is_accepted_and_told(validation: Validation) -> None:
    upload = await validation.is_given(a_paper())

    await validation.hears(upload)

    [told] = await validation.tells(MaterialChecked)
    assert (told.image_id, told.application_no, told.item) == (upload.image_id, upload.application_no, "diploma")
    assert (told.verdict, told.reason, told.findings, told.check_no) == ("accept", "ok", (), 1)
    assert told.sha256 == upload.sha256
    assert told.metrics.items() >= {"width_px": 1000, "height_px": 700}.items()
    [row] = await validation.rows()
    assert (row["image_id"], row["verdict"], row["check_no"], row["findings"]) == (upload.image_id, "accept", 1, [])
    assert row["checked_at"] == told.checked_at


async def test_a_finding_has_code_severity_measure_and_limit(validation: Validation) -> None:
    upload = await validation.is_given(a_png_bomb(6000))

    await validation.hears(upload)

    [told] = await validation.tells(MaterialChecked)
    assert (told.verdict, told.reason) == ("reject", "pixel_limit")
    [finding] = told.findings
    assert finding.model_dump() == {
        "code": "pixel_limit",
        "severity": "reject",
        "measured": 36_000_000,
        "limit": 25_000_000,
        "other_item": None,
    }


async def test_an_upload_heard_three_times_is_checked_once(validation: Validation) -> None:
    upload = await validation.is_given(a_png())

    for _ in range(3):
        await validation.hears(upload)

    assert len(await validation.tells(MaterialChecked)) == 1
    assert [row["check_no"] for row in await validation.rows()] == [1]


async def test_an_upload_told_twice_in_one_batch_is_checked_once(validation: Validation) -> None:
    upload = await validation.is_given(a_png())

    await validation.hears(upload, upload)

    assert len(await validation.tells(MaterialChecked)) == 1


async def test_an_image_told_anew_gets_a_newer_check(validation: Validation) -> None:
    upload = await validation.is_given(a_png())
    await validation.hears(upload)
    again = MaterialUploaded.model_validate(upload.model_dump())

    await validation.hears(again)

    assert [told.check_no for told in await validation.tells(MaterialChecked)] == [1, 2]
    assert [row["check_no"] for row in await validation.rows()] == [2]


async def test_bad_images_of_a_batch_do_not_touch_the_good_ones(validation: Validation) -> None:
    good = [await validation.is_given(a_paper(number), "diploma") for number in range(1, 9)]
    bad = {
        "corrupt": await validation.is_given(a_jpeg()[:3000]),
        "pixel_limit": await validation.is_given(a_png_bomb(20_000)),
        "unsupported_format": await validation.is_given(b"GIF89a" + bytes(500)),
    }
    gone = an_upload(a_png())

    await validation.hears(*good[:4], *bad.values(), gone, *good[4:])

    told = await validation.told()
    assert len(told) == 12
    assert {told[event.image_id].verdict for event in good} == {"accept"}
    assert {code: told[event.image_id].reason for code, event in bad.items()} == {code: code for code in bad}
    assert told[gone.image_id].verdict == "gone"
    assert await validation.dead_letters() == 0


async def test_an_absent_object_is_gone_not_an_error(validation: Validation) -> None:
    upload = an_upload(a_jpeg())

    await validation.hears(upload)

    [told] = await validation.tells(MaterialChecked)
    assert (told.verdict, told.reason) == ("gone", "gone")
    assert await validation.dead_letters() == 0


async def test_an_object_that_changed_since_the_upload_is_rejected(validation: Validation) -> None:
    upload = await validation.is_given(a_jpeg())
    await validation.storage.put(upload.object_key, a_png(), "image/png")

    await validation.hears(upload)

    [told] = await validation.tells(MaterialChecked)
    assert (told.verdict, told.reason) == ("reject", "corrupt")


async def test_an_image_removed_before_the_look_is_not_fetched_and_is_gone(validation: Validation) -> None:
    upload = await validation.is_given(a_jpeg())

    await validation.hears(a_removal(upload))
    await validation.hears(upload)

    # The object is still there: had anybody looked, it would have been accepted.
    [told] = await validation.tells(MaterialChecked)
    assert told.verdict == "gone"


async def test_a_removal_after_the_look_changes_nothing(validation: Validation) -> None:
    upload = await validation.is_given(a_jpeg())
    await validation.hears(upload)

    await validation.hears(a_removal(upload))
    await validation.hears(a_removal(upload))

    assert [told.verdict for told in await validation.tells(MaterialChecked)] == ["accept"]
    assert [row["verdict"] for row in await validation.rows()] == ["accept"]


async def test_old_removals_are_forgotten_and_recent_ones_kept(
    validation: Validation, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = await validation.is_given(a_jpeg())
    await validation.hears(a_removal(upload))

    async with validation.service.sessions.begin() as session:
        await checks.forget_removals(session)
    monkeypatch.setattr(checks, "REMOVALS_KEPT_FOR", checks.REMOVALS_KEPT_FOR * 0)
    await validation.hears(kept := await validation.is_given(a_png()))
    async with validation.service.sessions.begin() as session:
        await checks.forget_removals(session)
    await validation.hears(upload)

    told = await validation.told()
    assert told[kept.image_id].verdict == "accept"
    assert told[upload.image_id].verdict == "accept"


class Switch:
    """A way to the store that can be cut."""

    def __init__(self) -> None:
        self.open = True
        self.port = 0


@asynccontextmanager
async def a_switch(endpoint: str) -> AsyncIterator[Switch]:
    """A proxy in front of the store: closed, it drops every connection unanswered."""
    switch = Switch()
    target = urlsplit(endpoint)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not switch.open:
            writer.close()
            return
        onward = await asyncio.open_connection(target.hostname, target.port)
        await asyncio.gather(pump(reader, onward[1]), pump(onward[0], writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    switch.port = server.sockets[0].getsockname()[1]
    try:
        yield switch
    finally:
        server.close()


async def test_while_the_store_is_away_the_batch_waits_in_place_and_nothing_is_decided(
    validation: Validation, validation_settings: Settings
) -> None:
    uploads = [await validation.is_given(a_jpeg()), await validation.is_given(a_png()), an_upload(a_png())]
    assert validation_settings.s3_endpoint_url
    async with a_switch(validation_settings.s3_endpoint_url) as switch:
        behind = validation_settings.model_copy(update={"s3_endpoint_url": f"http://127.0.0.1:{switch.port}"})
        switch.open = False
        async with running(build(behind)) as other:
            hearing = asyncio.create_task(other.hears(*uploads))
            await asyncio.sleep(1)
            decided_meanwhile = await validation.rows()
            was_waiting = not hearing.done()
            switch.open = True
            await asyncio.wait_for(hearing, 30)

    assert was_waiting
    assert decided_meanwhile == []
    assert sorted(told.verdict for told in (await validation.told()).values()) == ["accept", "accept", "gone"]
    assert await validation.dead_letters() == 0


class SlowStore(Storage):
    """A store that counts how many fetches are under way."""

    def __init__(self) -> None:
        self.under_way = self.most = 0

    async def get(self, key: str, largest: int = 0) -> bytes:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0.05)
        self.under_way -= 1
        if key == "gone":
            raise ObjectGone
        return a_jpeg()


def workers() -> Workers:
    return Workers(["look"], count=1, first_cpu_s=5, alone_cpu_s=5)


async def test_the_images_of_a_batch_are_fetched_at_the_same_time_within_a_bound() -> None:
    store = SlowStore()
    events = [an_upload(a_jpeg()) for _ in range(70)]

    async with workers() as pool:
        seen = await asyncio.wait_for(Pictures(store, pool).check_all(events), 60)

    assert len(seen.looks) == 70
    assert store.most == 32


async def test_the_event_loop_goes_on_while_images_are_decoded() -> None:
    events = [an_upload(a_jpeg()) for _ in range(64)]
    longest, last = 0.0, asyncio.get_running_loop().time()

    async def watch() -> None:
        nonlocal longest, last
        while True:
            await asyncio.sleep(0.001)
            now = asyncio.get_running_loop().time()
            longest, last = max(longest, now - last), now

    async with workers() as pool:
        await pool.ready()
        pictures = Pictures(SlowStore(), pool)
        last = asyncio.get_running_loop().time()
        watching = asyncio.create_task(watch())
        await pictures.check_all(events)
        watching.cancel()

    assert longest < 0.25


async def test_batches_are_as_large_as_half_a_second_of_work(validation: Validation) -> None:
    router = make_router()
    router.provide(sessions=validation.service.sessions, sealer=validation.service.sealer, pictures=None)

    assert router.delivery.subscriptions["material.uploaded.v1"].max_records == 32
    assert {kind.topic for kind in router.heard} == {"material.uploaded.v1", "material.removed.v1"}


async def test_images_wait_behind_a_dead_letter_one_by_one_not_by_application(validation: Validation) -> None:
    poison = await validation.is_given(a_jpeg())
    neighbour = await validation.is_given(a_png())  # of the same application
    router = validation.service.routers[0]
    key = router.delivery._park_by(poison)

    assert key == str(poison.image_id)
    assert router.delivery._park_by(neighbour) != key
    unreadable = record_of(poison)
    unreadable.value = b"{}"
    await validation.hears_records("material.uploaded.v1", [unreadable, record_of(neighbour)])

    assert list(await validation.told()) == [neighbour.image_id]
    assert await validation.dead_letters() == 2  # of those who look and of those who read


async def test_it_serves_health_and_metrics(validation: Validation) -> None:
    await validation.hears(await validation.is_given(a_jpeg()))

    assert (await validation.client.get("/live")).status_code == 200
    assert (await validation.client.get("/ready")).status_code == 200
    metrics = (await validation.client.get("/metrics")).text
    assert 'baoshen_images_checked_total{verdict="accept"}' in metrics
