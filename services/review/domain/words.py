"""Words to begin from: a pack's texts may leave places open, which are filled before a candidate reads them."""

import re
from collections.abc import Mapping

from shared.contracts.rules import Pack, Text

_OPEN = re.compile(r"\{[a-z_]{1,30}\}")
_NO_DEADLINE = Text(zh="规定时间", en="the deadline")


def is_unfinished(words: str) -> bool:
    """True while a place is open, such as `{item}`."""
    return _OPEN.search(words) is not None


def reasons_of(pack: Pack, site: str) -> dict[str, Text]:
    """The pack's reasons with `{region}`, `{site}` and `{deadline}` filled in; `{item}` is left to the page.

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
