"""Images that end their worker: put aside, tried once alone, then judged; their batch-mates wait for none of it."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from services.validation import main
from services.validation.alone import try_suspects
from services.validation.domain import Look
from services.validation.pictures import Pictures
from services.validation.settings import Settings
from services.validation.workers import Done, Task, Turn, Workers
from shared.contracts.upload import MaterialUploaded
from shared.storage import Storage
from tests.builders.papers import a_paper
from tests.harness import running
from tests.validation.conftest import Validation, a_removal


class Moody(Workers):
    """Real workers that end over some files: the first try of all that are marked, the last of those that are bad."""

    def __init__(self) -> None:
        super().__init__(["look"], count=1, first_cpu_s=5, alone_cpu_s=5)
        self.slow: set[bytes] = set()
        self.bad: set[bytes] = set()
        self.late: set[bytes] = set()
        self.goes_on = asyncio.Event()
        self.alone_tries = self.late_tries = 0

    async def first_try(self, task: Task, turn: Turn | None = None) -> Done | None:
        if task.body in self.late:
            self.late_tries += 1
            if turn is not None:
                turn.begin(os.getpid())
            await self.goes_on.wait()
        return None if task.body in self.slow | self.bad else await super().first_try(task, turn)

    async def alone(self, task: Task) -> Done | None:
        self.alone_tries += 1
        return None if task.body in self.bad else await super().alone(task)


class Patient(Validation):
    """Validation with moody workers."""

    workers: Moody

    @property
    def pictures(self) -> Pictures:
        return self.service.app.state.pictures

    async def tries_suspects(self) -> None:
        await try_suspects(self.service.sessions, self.pictures)

    async def suspects(self) -> int:
        async with self.service.sessions() as session:
            return int(await session.scalar(text("SELECT count(*) FROM suspects")) or 0)


@pytest.fixture
async def patient(
    validation: Validation, validation_settings: Settings, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Patient]:
    only_checks = validation_settings.model_copy(update={"groups": "validation"})
    async with _patient(only_checks, monkeypatch) as fresh:
        fresh.storage = storage
        yield fresh


@asynccontextmanager
async def _patient(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Patient]:
    workers = Moody()
    monkeypatch.setattr(main, "look_workers", lambda _count: workers)
    async with running(main.build(settings)) as service:
        fresh = Patient(service.service, service.client)
        fresh.workers = workers
        yield fresh


async def given(patient: Patient, *numbers: int) -> list[MaterialUploaded]:
    return [await patient.is_given(a_paper(number)) for number in numbers]


async def test_the_mates_of_one_that_ends_its_worker_are_told_at_once(patient: Patient) -> None:
    uploads = await given(patient, 1, 2, 3)
    patient.workers.bad.add(a_paper(2))

    await patient.hears(*uploads)

    assert (await patient.told()).keys() == {uploads[0].image_id, uploads[2].image_id}
    assert await patient.suspects() == 1


async def test_the_mates_of_one_that_is_late_are_told_before_it_comes_to_its_end(patient: Patient) -> None:
    uploads = await given(patient, 1, 2, 3)
    patient.workers.late.add(a_paper(2))

    await asyncio.wait_for(patient.hears(*uploads), 20)
    mates = await patient.told()
    patient.workers.goes_on.set()
    await patient.tries_suspects()

    assert mates.keys() == {uploads[0].image_id, uploads[2].image_id}
    assert (await patient.told())[uploads[1].image_id].verdict == "accept"
    assert (patient.workers.late_tries, patient.workers.alone_tries) == (1, 0)


async def test_one_that_is_late_and_then_ends_its_worker_has_its_last_try(patient: Patient) -> None:
    [upload] = await given(patient, 1)
    patient.workers.late.add(a_paper(1))
    patient.workers.bad.add(a_paper(1))
    await asyncio.wait_for(patient.hears(upload), 20)
    patient.workers.goes_on.set()

    await patient.tries_suspects()

    assert (await patient.told())[upload.image_id].reason == "too_complex"
    assert patient.workers.alone_tries == 1


async def test_what_only_needs_more_time_is_judged_as_it_is(patient: Patient) -> None:
    [upload] = await given(patient, 1)
    patient.workers.slow.add(a_paper(1))
    await patient.hears(upload)

    await patient.tries_suspects()

    assert (await patient.told())[upload.image_id].verdict == "accept"
    assert await patient.suspects() == 0


async def test_what_ends_the_last_try_too_is_too_complex(patient: Patient) -> None:
    [upload] = await given(patient, 1)
    patient.workers.bad.add(a_paper(1))
    await patient.hears(upload)

    await patient.tries_suspects()
    await patient.tries_suspects()

    told = (await patient.told())[upload.image_id]
    assert (told.verdict, told.reason) == ("reject", "too_complex")
    assert patient.workers.alone_tries == 1
    assert await patient.suspects() == 0


async def test_a_suspect_heard_again_is_tried_and_told_once(patient: Patient) -> None:
    [upload] = await given(patient, 1)
    patient.workers.bad.add(a_paper(1))

    for _ in range(3):
        await patient.hears(upload)
    await patient.tries_suspects()
    await patient.hears(upload)
    await patient.tries_suspects()

    assert (await patient.told()).keys() == {upload.image_id}
    assert patient.workers.alone_tries == 1


async def test_a_suspect_that_was_removed_meanwhile_is_gone(patient: Patient) -> None:
    [upload] = await given(patient, 1)
    patient.workers.bad.add(a_paper(1))
    await patient.hears(upload)
    await patient.hears(a_removal(upload))

    await patient.tries_suspects()

    assert (await patient.told())[upload.image_id].verdict == "gone"
    assert patient.workers.alone_tries == 0


async def test_an_image_over_which_whole_processes_end_is_given_up_after_three_beginnings(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    [upload] = await given(patient, 1)
    patient.workers.slow.add(a_paper(1))
    await patient.hears(upload)

    async def ends(_event: MaterialUploaded) -> Look | None:
        raise RuntimeError("the process ends here")

    monkeypatch.setattr(patient.pictures, "check_alone", ends)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            await patient.tries_suspects()
        async with patient.service.sessions.begin() as session:
            await session.execute(text("UPDATE suspects SET taken_until = taken_until - interval '4 minutes'"))
    await patient.tries_suspects()

    assert (await patient.told())[upload.image_id].reason == "too_complex"


async def test_one_that_another_process_is_trying_is_left_to_it(patient: Patient) -> None:
    [upload] = await given(patient, 1)
    patient.workers.slow.add(a_paper(1))
    await patient.hears(upload)
    async with patient.service.sessions.begin() as session:
        await session.execute(text("UPDATE suspects SET taken_until = now() + interval '1 minute'"))

    await patient.tries_suspects()

    assert await patient.told() == {}
    assert patient.workers.alone_tries == 0
