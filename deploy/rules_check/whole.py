"""What a pack's parts say of each other: items and sections, counts, windows, sites, supplements, messages."""

import re
from collections.abc import Iterable
from pathlib import Path as File

from deploy.rules_check.problems import Document, nearest
from deploy.rules_check.vocabulary import KNOWN_ITEMS
from services.upload.conditions import Path
from shared.contracts.findings import CAN_BE_STRICTER
from shared.contracts.rules import REASON_BLANKS, REASON_PLACES, WINDOWS, Pack, Window

PLACEHOLDERS = ("deadline", "exam", "items", "phone", "region", "round", "site")
# 33 × 48 mm are 390 × 567 pixels to 1 in 2,000; 2 in 100 is what nobody sees.
_MOST_DISTORTION = 0.02
EXAMPLES = File(__file__).resolve().parent.parent.parent / "web" / "candidate" / "public" / "examples"


def check_whole(document: Document, pack: Pack, examples: File = EXAMPLES) -> None:
    """Note what does not fit together."""
    _sections(document, pack)
    check_items(document, pack)
    _counts(document, pack)
    _pictures(document, pack, examples)
    _image_checks(document, pack)
    _photo(document, pack)
    _windows(document, pack)
    _routes(document, pack)
    _supplements(document, pack)
    _sites(document, pack)
    _reasons(document, pack)
    _messages(document, pack)


def _sections(document: Document, pack: Pack) -> None:
    placed: dict[str, Path] = {}
    for number, section in enumerate(pack.sections):
        for place, code in enumerate(section.items):
            path: Path = ("sections", number, "items", place)
            if code in placed and code in pack.items:
                line, _ = document.position(placed[code])
                document.add(path, f"item {code} is in a section already, in line {line}", "keep one of the two")
            placed.setdefault(code, path)
    for code in pack.items:
        if code not in placed:
            document.add(
                ("items", code), f"item {code} is in no section", "name it in a section, or take it out", key=True
            )


def check_items(document: Document, pack: Pack) -> None:
    """Note items that nobody knows, and such as the pack names without defining them."""
    for code in pack.items:
        if code not in KNOWN_ITEMS:
            document.add(("items", code), f"unknown item {code}: it is no known item code", _known(code), key=True)
    named: list[tuple[Path, str]] = [
        *(
            (("sections", n, "items", place), code)
            for n, section in enumerate(pack.sections)
            for place, code in enumerate(section.items)
        ),
        *(
            (("routes", n, "requires", place), code)
            for n, row in enumerate(pack.routes)
            for place, code in enumerate(row.requires)
        ),
        *((("supplements", n, "item"), each.item) for n, each in enumerate(pack.supplements)),
    ]
    for path, code in named:
        if code not in pack.items:
            todo = nearest(code, list(pack.items)) or "define it under items, or take it out"
            document.add(path, f"unknown item {code}: items does not define it", todo)
    for number, line in enumerate(pack.onsite.catalogue if pack.onsite else ()):
        if line.item not in KNOWN_ITEMS:
            path = ("onsite", "catalogue", number, "item")
            document.add(path, f"unknown item {line.item}: it is no known item code", _known(line.item))


def _known(code: str) -> str:
    return nearest(code, list(KNOWN_ITEMS)) or "the codes are listed in docs/rules.md"


def _counts(document: Document, pack: Pack) -> None:
    for code, rule in pack.items.items():
        if rule.min > rule.max:
            document.add(
                ("items", code, "min"),
                f"item {code}: min {rule.min} is more than max {rule.max}",
                "raise max or lower min",
            )


def _pictures(document: Document, pack: Pack, examples: File) -> None:
    for code, rule in pack.items.items():
        if rule.example is not None and not (examples / f"{rule.example}.jpg").is_file():
            document.add(
                ("items", code, "example"),
                f"there is no example picture {rule.example}",
                f"put {rule.example}.jpg into web/candidate/public/examples",
                warning=True,
            )


def _image_checks(document: Document, pack: Pack) -> None:
    """What is looked for on an item's images; unknown names in `reads` are the model's affair."""
    for code, rule in pack.items.items():
        for key, names in (("reads", rule.reads), ("stricter_checks", rule.stricter_checks)):
            if names and rule.channel == "onsite":
                words = f"{code} is brought on-site: it has no images that {key} could speak of"
                document.add(("items", code, key), words, f"take {key} out, or set its channel to both", key=True)
            for place, name in enumerate(names):
                if name in names[:place]:
                    document.add(
                        ("items", code, key, place), f"{key} of {code} has {name} twice", "keep one of the two"
                    )
        for place, name in enumerate(rule.stricter_checks):
            if name not in CAN_BE_STRICTER:
                known = ", ".join(sorted(CAN_BE_STRICTER))
                todo = nearest(name, list(CAN_BE_STRICTER)) or "use one of them, or take it out"
                words = f"unknown check {name}: the checks that can be made stricter are {known}"
                document.add(("items", code, "stricter_checks", place), words, todo)


def _photo(document: Document, pack: Pack) -> None:
    photo = pack.photo
    printed, shown = photo.width_mm / photo.height_mm, photo.width_px / photo.height_px
    if abs(printed / shown - 1) > _MOST_DISTORTION:
        document.add(
            ("photo",),
            f"the photo is {photo.width_mm} × {photo.height_mm} mm, but {photo.width_px} × {photo.height_px} pixels "
            "have other proportions",
            "give both the same: one would be distorted",
            key=True,
        )


def _windows(document: Document, pack: Pack) -> None:
    """Candidates first, then review, publishing and payment, one after the other."""
    windows = {name: window for name in WINDOWS if (window := getattr(pack.windows, name)) is not None}
    for name, window in windows.items():
        if window.closes_at <= window.opens_at:
            document.add(
                ("windows", name, "closes"), f"the window {name} closes before it opens", "swap or correct them"
            )
    for first, then in (("review", "publishing"), ("publishing", "payment"), ("review", "payment")):
        if first in windows and then in windows and windows[then].opens_at < windows[first].closes_at:
            _overlap(document, then, "opens", first, f"open {then} when {first} has closed, or later")
    for name in {"registration", "upload", "change"} & set(windows):
        for later in ("publishing", "payment"):
            if later in windows and windows[name].closes_at > windows[later].opens_at:
                _overlap(document, name, "closes", later, f"close {name} before {later} opens")
        _before_review_closes(document, name, windows)
    if {"upload", "change"} <= set(windows) and windows["change"].closes_at > windows["upload"].closes_at:
        document.add(
            ("windows", "change", "closes"),
            "the window change closes after upload has closed: who withdraws then could not submit again",
            "close change earlier, or upload later",
        )


def _before_review_closes(document: Document, name: str, windows: dict[str, Window]) -> None:
    review = windows.get("review")
    if review is None:
        return
    if windows[name].opens_at >= review.closes_at:
        document.add(
            ("windows", name, "opens"),
            f"the window {name} opens when review has closed already",
            f"open {name} earlier, or close review later",
        )
    elif name == "upload" and windows[name].closes_at > review.closes_at:
        document.add(
            ("windows", name, "closes"),
            "the window upload closes after review has closed: nobody would look at the last images",
            "close upload earlier, or review later",
        )


def _overlap(document: Document, name: str, key: str, other: str, todo: str) -> None:
    line, _ = document.position(("windows", other), key=True)
    document.add(("windows", name, key), f"the window {name} overlaps {other} (line {line})", todo)


def _routes(document: Document, pack: Pack) -> None:
    for number, row in enumerate(pack.routes):
        for place, code in enumerate(row.requires):
            path: Path = ("routes", number, "requires", place)
            if not row.uploads:
                document.add(path, f"the row takes no uploads, but requires {code}", "take one of the two out")
            elif code in pack.items and pack.items[code].channel == "onsite":
                document.add(path, f"{code} is brought on-site, it can't be uploaded", "set its channel to both")
    comes = any(row.route != "online" for row in pack.routes) if pack.routes else pack.route != "online"
    if comes and pack.onsite is None:
        document.add(
            ("routes",) if pack.routes else ("route",),
            "candidates must come in person, but nothing says what to bring",
            "add onsite with an instruction and a catalogue",
            warning=True,
        )


def _supplements(document: Document, pack: Pack) -> None:
    review = pack.windows.review
    for number, supplement in enumerate(pack.supplements):
        if supplement.item in pack.items and pack.items[supplement.item].channel == "onsite":
            document.add(
                ("supplements", number, "item"),
                f"{supplement.item} is brought on-site, it can't be uploaded",
                "set its channel to both",
            )
        if review is not None and supplement.due <= review.closes.date():
            document.add(
                ("supplements", number, "due"),
                f"{supplement.item} is due on {supplement.due}, but it is asked for after review has closed",
                "give a day after review has closed",
            )


def _sites(document: Document, pack: Pack) -> None:
    first: dict[str, int] = {}
    for number, site in enumerate(pack.sites):
        if site.code in first:
            document.add(
                ("sites", number, "code"),
                f"the site code {site.code} stands at sites[{first[site.code] + 1}] already",
                "give each site its own code",
            )
        first.setdefault(site.code, number)


def _reasons(document: Document, pack: Pack) -> None:
    filled, blanks = _in_braces(REASON_PLACES), _in_braces(REASON_BLANKS)
    there_are = f"{filled}, which are filled in, and {blanks}, which the reviewer fills in"
    for code, words in pack.reasons.items():
        for language, text in (("zh", words.zh), ("en", words.en)):
            _placeholders(document, ("reasons", code, language), text, (*REASON_PLACES, *REASON_BLANKS), there_are)


def _messages(document: Document, pack: Pack) -> None:
    for about, message in pack.messages.items():
        texts: list[tuple[Path, str]] = []
        if message.inbox is not None:
            texts += [(("inbox", "zh"), message.inbox.zh), (("inbox", "en"), message.inbox.en)]
        if message.sms is not None:
            texts.append((("sms",), message.sms))
        for below, words in texts:
            _placeholders(document, ("messages", about, *below), words, PLACEHOLDERS, _in_braces(PLACEHOLDERS))


def _in_braces(names: Iterable[str]) -> str:
    return " ".join(f"{{{each}}}" for each in names)


def _placeholders(document: Document, path: Path, words: str, known: tuple[str, ...], there_are: str) -> None:
    """Note placeholders that a text may not have, and braces that are none."""
    for name in re.findall(r"\{([^{}]*)\}", words):
        if name not in known:
            todo = nearest(name, list(known)) or "use one of them"
            document.add(path, f"unknown placeholder {{{name}}}, there are {there_are}", todo)
    if words.count("{") != words.count("}"):
        document.add(path, "a brace { or } stands alone", f"write placeholders as {{{known[0]}}}")
