"""Words to begin from: a pack's texts may leave places open, which are filled before a candidate reads them."""

import re
from collections.abc import Mapping

from shared.contracts.rules import Pack, Text
from shared.errors import Invalid

_OPEN = re.compile(r"\{[a-z_]{1,30}\}")
_NO_DEADLINE = Text(zh="规定时间", en="the deadline")
_NO_ITEM = Text(zh="…", en="…")


def open_places(words: str) -> list[str]:
    """What is not filled in yet, such as `{item}` or a blank `{page}`, each once and in order."""
    return list(dict.fromkeys(_OPEN.findall(words)))


def must_be_filled_in(words: str) -> None:
    """Refuse words about an application as a whole that somebody would read with a place still open.

    Raises:
        Invalid: they have one (`words-unfinished`).
    """
    if places := open_places(words):
        raise Invalid(
            "words-unfinished",
            f"说明中还有未填写的内容：{'、'.join(places)}。请填写或删去后再提交。",
            f"The words are not filled in yet: {', '.join(places)}. Type over each, or take it out.",
            places=places,
        )


def without_blanks(words: Text, item: Text | None) -> Text:
    """A reason as it is spoken of where nobody writes to a candidate: with the item's title, and … for what is open.

    Args:
        words: the pack's.
        item: the title; None where the pack has no such item any more.
    """
    filled = _filled(words, {"item": item or _NO_ITEM})
    return Text(zh=_OPEN.sub("…", filled.zh), en=_OPEN.sub("…", filled.en))


def reasons_of(pack: Pack, site: str) -> dict[str, Text]:
    """The pack's reasons with `{region}`, `{site}` and `{deadline}` filled in.

    `{item}` is left to the page, and the blanks to the reviewer.

    Args:
        pack: the rules that the application is bound to.
        site: the application's.
    """
    name = next((each.name for each in pack.sites if each.code == site), Text(zh=site, en=site))
    values = {"region": pack.region.name, "site": name, "deadline": _deadline(pack)}
    return {code: _filled(words, values) for code, words in pack.reasons.items()}


def _deadline(pack: Pack) -> Text:
    window = pack.windows.review
    if window is None:
        return _NO_DEADLINE
    written = f"{window.closes:%Y-%m-%d %H:%M}"
    return Text(zh=written, en=written)


def _filled(text: Text, values: Mapping[str, Text]) -> Text:
    zh, en = text.zh, text.en
    for name, value in values.items():
        zh, en = zh.replace(f"{{{name}}}", value.zh), en.replace(f"{{{name}}}", value.en)
    return Text(zh=zh, en=en)
