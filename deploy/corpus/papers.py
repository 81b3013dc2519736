"""Sound pictures to start from: specimens, and papers that a check may take for bad ones although they are not.

Mostly white pages, copies of one bit, a screen, dark covers, a page that fills half of a cluttered desk: what costs a
candidate a wrong complaint if a limit is set by handsome certificates alone.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from deploy.specimens import draw, invented_person
from deploy.specimens.kinds import page
from deploy.specimens.light import grain, multiply, noise_field, ramp
from deploy.specimens.paper import handwrite, mark, paragraph, press, seal, sheet, write
from deploy.specimens.photo import corners, desk, expose, lay

Rng = np.random.Generator
_A4 = (1130, 1600)

SPECIMENS = (
    "identity_front",
    "identity_back",
    "diploma",
    "degree",
    "institution_licence",
    "trial_assessment",
    "student_card",
    "education_record",
    "assistant_qualification",
    "first_registration_proof",
    "previous_result",
    "junior_college_diploma",
)


@lru_cache(maxsize=16)
def specimen(kind: str, seed: int) -> Image.Image:
    """A specimen as the camera saw it."""
    with Image.open(io.BytesIO(draw(kind, seed=seed))) as opened:
        return opened.convert("RGB")


def letter(rng: Rng, seed: int) -> Image.Image:
    """A short statement on a white sheet: a heading, a few lines, a signature, nothing else."""
    paper = sheet(_A4, (252, 252, 251), rng, 0.003)
    mark(paper, 44, strength=14)
    write(paper, (_A4[0] / 2, 240), "情况说明（样本）", 54, anchor="middle", bold=1.0)
    person = invented_person(seed)
    words = f"本人{person.name}，因故补充说明如下：所交材料真实有效。"
    paragraph(paper, (150, 380), words, 34, _A4[0] - 300, 66)
    handwrite(paper, (720, 640), person.name, 44, rng)
    return grain(paper, rng, 1.0)


def form(rng: Rng, seed: int) -> Image.Image:
    """A form of which only a few fields are filled in, with a pale seal."""
    paper = sheet(_A4, (250, 250, 247), rng, 0.004)
    ruled = ImageDraw.Draw(paper)
    write(paper, (_A4[0] / 2, 190), "申请表（样本）", 50, anchor="middle")
    for row in range(9):
        top = 270 + row * 120
        ruled.rectangle((110, top, _A4[0] - 110, top + 120), outline=(150, 150, 152), width=2)
        if row < 3:
            write(paper, (140, top + 74), ("姓名", "性别", "单位")[row], 30)
            handwrite(paper, (330, top + 76), (invented_person(seed).name, "女", "示例市样本医院")[row], 34, rng)
    stamp = seal("样本省示例市样本医院", "人事专用章", 120, rng)
    press(paper, stamp, (820, 1300), (226, 150, 146))
    return grain(paper, rng, 1.0)


def bilevel(rng: Rng, seed: int) -> Image.Image:
    """A copy of one bit, as an office scanner makes it."""
    kind = ("first_registration_proof", "institution_licence", "previous_result")[int(rng.integers(3))]
    grey = page(kind, invented_person(seed), seed).convert("L").resize((1240, 1754), Image.Resampling.LANCZOS)
    return grey.point(lambda value: 255 if value > 150 else 0).convert("1")


def grey_scan(rng: Rng, seed: int) -> Image.Image:
    """A scan without colour, of an office that saves toner."""
    grey = specimen(SPECIMENS[int(rng.integers(4, 12))], seed).convert("L")
    return grey.point(lambda value: round(70 + value * 0.68))


def screen(rng: Rng, seed: int) -> Image.Image:
    """A telephone's screen with the record of studies on it, in its light or its dark dress."""
    record = specimen("education_record", seed)
    width = 720
    shown = record.resize((width, record.height * width // record.width), Image.Resampling.LANCZOS)
    phone = Image.new("RGB", (width, 1560), (247, 248, 250))
    ImageDraw.Draw(phone).rectangle((0, 0, width, 64), fill=(24, 92, 168))
    write(phone, (width / 2, 46), "学历查询（样本）", 28, face="sans", ink=(255, 255, 255), anchor="middle")
    phone.paste(shown, (0, 90))
    for row in range(5):
        write(phone, (40, shown.height + 170 + row * 70), f"第{row + 1}项　已核验", 28, face="sans")
    return ImageOps.invert(phone) if rng.random() < 0.4 else phone


def cover(rng: Rng, seed: int) -> Image.Image:
    """A booklet's dark cover with golden letters, on a desk."""
    colour = ((92, 26, 30), (30, 40, 78), (24, 62, 48))[int(rng.integers(3))]
    face = sheet((900, 1240), colour, rng, 0.02)
    write(
        face,
        (450, 330),
        ("毕业证书", "护　照", "学位证书")[int(rng.integers(3))],
        110,
        ink=(206, 170, 92),
        anchor="middle",
    )
    write(face, (450, 900), "样本 SPECIMEN", 56, ink=(196, 160, 84), anchor="middle")
    return cluttered(face, rng, 0.7)


def half_the_frame(rng: Rng, seed: int) -> Image.Image:
    """A paper that takes up half to four fifths of a desk with other things on it."""
    kind = SPECIMENS[int(rng.integers(len(SPECIMENS) - 1))]
    if kind == "education_record":
        kind = "degree"
    return cluttered(page(kind, invented_person(seed), seed), rng, float(rng.uniform(0.5, 0.8)))


def cluttered(paper: Image.Image, rng: Rng, share: float) -> Image.Image:
    """A paper among pens, cups and other sheets."""
    size = (1440, 1080) if paper.width >= paper.height else (1080, 1440)
    scene = desk(("wood", "slate", "linen")[int(rng.integers(3))], size, rng)
    things = ImageDraw.Draw(scene)
    for _ in range(9):
        x, y = float(rng.uniform(0, size[0])), float(rng.uniform(0, size[1]))
        colour = tuple(int(value) for value in rng.integers(20, 235, 3))
        wide, tall = (float(value) for value in rng.uniform(30, 260, 2))
        if rng.random() < 0.5:
            things.ellipse((x, y, x + wide, y + wide), fill=colour)
        else:
            things.polygon(
                ((x, y), (x + wide, y + tall * 0.2), (x + wide * 0.8, y + tall), (x - 20, y + tall)), fill=colour
            )
    scene = scene.filter(ImageFilter.GaussianBlur(1.2))
    where = corners(size, (1 - share) / 2, paper.height / paper.width, rng, tilt=4, bend=0.03)
    lay(scene, paper, where)
    return expose(scene, rng)


def one_line(rng: Rng, seed: int) -> Image.Image:
    """A page with one line of writing: hardly a paper, but not for a machine to say."""
    paper = sheet(_A4, (249, 249, 247), rng, 0.003)
    write(paper, (160, 420), f"样本　{invented_person(seed).name}　毕业证书遗失，见附件。", 38)
    return grain(paper, rng, 1.2)


def holding(rng: Rng, seed: int) -> Image.Image:
    """The candidate with the card in hand."""
    return specimen("identity_holding", seed)


def head(rng: Rng, seed: int) -> Image.Image:
    """A portrait in plain clothes, closer or farther, before a wall."""
    whole = specimen("identity_holding", seed)
    top = int(rng.integers(0, 90))
    side = int(rng.integers(620, 1000))
    left = int(np.clip(540 - side / 2 + rng.integers(-60, 60), 0, 1200 - side))
    return whole.crop((left, top, left + side, min(1500, top + side * 5 // 4)))


# Blanks.


def bare_sheet(rng: Rng, seed: int) -> Image.Image:
    """The wrong side of a sheet, in uneven light."""
    tone = int(rng.integers(180, 254))
    lit = multiply(
        sheet((1400, 1000), (tone, tone, tone - 4), rng, 0.004), 1 + ramp((1400, 1000), 2.0) * np.float32(0.08)
    )
    return grain(lit, rng, float(rng.uniform(0.5, 6)))


def solid(rng: Rng, seed: int) -> Image.Image:
    """One colour, sometimes black or white."""
    colour = tuple(int(value) for value in rng.integers(0, 256, 3))
    return Image.new("RGB", (1000, 800), ((0, 0, 0), (255, 255, 255), colour, colour)[int(rng.integers(4))])


def gradient(rng: Rng, seed: int) -> Image.Image:
    """Light that falls off to one side, and nothing else."""
    size = (1200, 900)
    field = 0.6 + ramp(size, float(rng.uniform(0, 6.28))) * np.float32(rng.uniform(0.1, 0.4))
    return grain(multiply(Image.new("RGB", size, (240, 236, 228)), field), rng, float(rng.uniform(0, 3)))


def static(rng: Rng, seed: int) -> Image.Image:
    """Noise, from a covered lens to an untuned television."""
    strength, middle = float(rng.uniform(3, 60)), float(rng.uniform(10, 200))
    noise = rng.normal(middle, strength, (700, 1000, 3 if rng.random() < 0.5 else 1))
    return Image.fromarray(np.clip(np.broadcast_to(noise, (700, 1000, 3)), 0, 255).astype(np.uint8))


def lens_covered(rng: Rng, seed: int) -> Image.Image:
    """A finger or a pocket: dark, soft, grainy."""
    size = (1200, 900)
    soft = 1 + noise_field(rng, size, (3, 3)) * 0.2
    return grain(multiply(Image.new("RGB", size, (26, 16, 14)), soft), rng, 4)


Maker = Callable[[Rng, int], Image.Image]


def from_specimen(kind: str) -> Maker:
    """A maker of one kind of specimen."""
    return lambda rng, seed: specimen(kind, seed)


def rng_for(name: str, seed: int) -> Rng:
    """Chance for one picture, the same whatever was drawn before."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


PAPERS: dict[str, Maker] = {kind: from_specimen(kind) for kind in SPECIMENS}
PLAIN_PAPERS: dict[str, Maker] = {
    "letter": letter,
    "form": form,
    "bilevel": bilevel,
    "grey_scan": grey_scan,
    "screen": screen,
    "cover": cover,
    "half_the_frame": half_the_frame,
}
PEOPLE: dict[str, Maker] = {"holding": holding, "head": head}
BLANKS: dict[str, Maker] = {
    "bare_sheet": bare_sheet,
    "solid": solid,
    "gradient": gradient,
    "static": static,
    "lens_covered": lens_covered,
}
