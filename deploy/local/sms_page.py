"""The development SMS gateway's page: what was sent, as the telephones would show it."""

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from html import escape
from typing import Protocol

_BEIJING = timezone(timedelta(hours=8))


class Message(Protocol):
    """What the page shows of a message."""

    @property
    def reference(self) -> str:
        """The sender's reference."""
        ...

    @property
    def to(self) -> str:
        """The number."""
        ...

    @property
    def text(self) -> str:
        """What it says."""
        ...

    @property
    def received_at(self) -> str:
        """When it came, ISO 8601."""
        ...

    @property
    def asked(self) -> int:
        """How often its reference came."""
        ...


STYLE = """\
:root { color-scheme: light dark; --ground: #f3f5f7; --card: #fff; --ink: #1c2733; --quiet: #5a6775; --line: #dfe4ea;
  --bubble: #e5f0fc; --accent: #14549c; }
@media (prefers-color-scheme: dark) { :root { --ground: #11161c; --card: #1a222b; --ink: #e6ebf0; --quiet: #a3afbb;
  --line: #2c3742; --bubble: #1d3550; --accent: #8abdf5; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); line-height: 1.6;
  font: 16px/1.6 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; }
main { max-width: 44rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.4rem; margin: 0; }
.note { color: var(--quiet); margin: .25rem 0 1.25rem; }
form { display: flex; flex-wrap: wrap; gap: .5rem; align-items: end; margin-bottom: 1.5rem; }
label { flex: 1 1 12rem; color: var(--quiet); font-size: .9rem; }
input { display: block; width: 100%; font: inherit; color: inherit; background: var(--card);
  border: 1px solid var(--line); border-radius: .5rem; padding: .45rem .7rem; }
button { font: inherit; color: #fff; background: #14549c; border: 0; border-radius: .5rem; padding: .5rem 1.1rem; }
a { color: var(--accent); padding: .5rem 0; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
ol { list-style: none; margin: 0; padding: 0; display: grid; gap: .9rem; }
li { background: var(--card); border: 1px solid var(--line); border-radius: .8rem; padding: .9rem 1rem; }
.head { display: flex; flex-wrap: wrap; justify-content: space-between; gap: .25rem 1rem; margin: 0 0 .5rem;
  color: var(--quiet); font-size: .9rem; }
.head b { color: var(--ink); font-size: 1rem; font-variant-numeric: tabular-nums; }
.text { background: var(--bubble); border-radius: .2rem .8rem .8rem .8rem; padding: .55rem .8rem; margin: 0;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.foot { color: var(--quiet); font-size: .8rem; margin: .5rem 0 0; overflow-wrap: anywhere; }
.empty { text-align: center; color: var(--quiet); padding: 3rem 1rem; }
"""

# Looks every two seconds whether something came, so that nobody has to reload while trying things.
SCRIPT = """\
const shown = document.querySelector("main").dataset.newest;
setInterval(async () => {
  if (document.hidden || document.activeElement?.tagName === "INPUT") return;
  try {
    const answer = await fetch("/messages?limit=1" + location.search.replace("?", "&"));
    const newest = (await answer.json()).messages[0];
    if (newest && `${newest.reference} ${newest.asked}` !== shown) location.reload();
  } catch { /* the gateway was stopped */ }
}, 2000);
"""

_PAGE = """\
<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>开发用短信网关</title>
<link rel="stylesheet" href="/page.css">
<script src="/page.js" defer></script>
</head>
<body>
<main data-newest="{newest}">
<h1>开发用短信网关</h1>
<p class="note">共收到 {total} 条短信，不会真的发出。
<span lang="en">Development SMS gateway: kept here, never sent.</span></p>
<form action="/" method="get">
<label>手机号 <span lang="en">Phone</span>
<input name="to" value="{to}" inputmode="tel" autocomplete="off" maxlength="30"></label>
<button>查看</button>{all_link}
</form>
{body}
</main>
</body>
</html>
"""


def page(messages: Sequence[Message], *, to: str | None, total: int) -> str:
    """The page as HTML.

    Args:
        messages: newest first.
        to: the number that was asked for, if any.
        total: how many messages the gateway has.
    """
    newest = f"{messages[0].reference} {messages[0].asked}" if messages else ""
    body = "\n".join(_item(each) for each in messages)
    return _PAGE.format(
        newest=escape(newest),
        total=total,
        to=escape(to or ""),
        all_link=' <a href="/">全部</a>' if to else "",
        body=f"<ol>\n{body}\n</ol>"
        if messages
        else '<p class="empty">还没有短信。<br><span lang="en">Nothing yet.</span></p>',
    )


def _item(message: Message) -> str:
    when = datetime.fromisoformat(message.received_at)
    shown = f"{when.astimezone(_BEIJING):%Y-%m-%d %H:%M:%S}"
    asked = f"，同一编号收到 {message.asked} 次，只保留一条" if message.asked > 1 else ""
    parts = -(-len(message.text) // 70) if len(message.text) <= 70 else -(-len(message.text) // 67)
    return (
        f'<li><p class="head"><b>{escape(message.to)}</b>'
        f'<time datetime="{escape(message.received_at)}">{shown}</time></p>'
        f'<p class="text">{escape(message.text)}</p>'
        f'<p class="foot">{len(message.text)} 字 / {parts} 条{asked} · 编号 {escape(message.reference)}</p></li>'
    )
