"""`baoshen up` and `baoshen reset`: the whole system on this machine."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Coroutine, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from deploy.local.errors import BadSetting, StackError
from deploy.local.installing import install_everything
from deploy.local.moment import BEIJING, CLOCK_SHIFT, moment, now_in, shift_to
from deploy.local.part import PartStatus, State
from deploy.local.parts.postgres import data_folders
from deploy.local.places import CHECKOUT, cache_folder, home_folder
from deploy.local.processes import lock_home

if TYPE_CHECKING:
    from deploy.local.stack import Stack

# A log has no width of its own: nothing is folded there.
_out = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
_LOOKS = {
    State.WAITING: ("dim", "等待 waiting"),
    State.STARTING: ("yellow", "启动 starting"),
    State.READY: ("green", "就绪 ready"),
    State.DONE: ("green", "完成 done"),
    State.PAUSED: ("magenta", "暂停 paused"),
    State.STOPPED: ("dim", "停止 stopped"),
    State.DIED: ("red", "退出 died"),
    State.FAILED: ("red", "失败 failed"),
}


def up(
    web: Annotated[bool, typer.Option(help="Build and serve the web pages.")] = True,
    demo_data: Annotated[bool, typer.Option(help="Bring the demo's rule packs, registrations and accounts in.")] = True,
    as_of: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="Let the system's clock start at this date (YYYY-MM-DD: noon in Beijing; or a full date and time). "
            "The packs then keep their true windows; without it they are moved, so that uploading is possible today.",
        ),
    ] = None,
) -> None:
    """启动整个系统，Ctrl-C 停止。 Start everything, show how it is, and stop it all on Ctrl-C."""
    try:
        start_at = moment(as_of) if as_of is not None else None
        asyncio.run(_up(home_folder(), web=web, demo_data=demo_data, start_at=start_at))
    except StackError as problem:
        _out.print(str(problem), style="red", markup=False)
        raise typer.Exit(2 if isinstance(problem, BadSetting) else 1) from None


def reset(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """清空本地数据。 Delete this stack's data, logs and secrets, but not what was downloaded."""
    home, cache = home_folder(), cache_folder()
    if not home.exists():
        _out.print(f"{home} 不存在，无需清理。There is nothing to delete.")
        return
    _refuse_foreign_folder(home)
    if not yes and _out.is_terminal:
        typer.confirm(f"删除 {home} 中的数据？ Delete the data in {home}?", abort=True)
    try:
        with lock_home(home / "run"):
            for path in _to_delete(home, cache):
                _delete(path)
    except StackError as problem:
        _out.print(str(problem), style="red", markup=False)
        raise typer.Exit(1) from None
    _out.print(f"已清空 {home}。The data is gone; the downloads in {cache} are kept.")


async def _up(home: Path, *, web: bool, demo_data: bool, start_at: datetime | None) -> None:
    # Only now: `baoshen --help` has no need of what describes the parts, and of the clients that it brings.
    from deploy.local.stack import Stack

    told_to_stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Under nohup a hang-up is ignored. An interrupt counts even in the background, where shells have it ignored:
        # nobody sends it there but somebody who wants us to stop.
        if sign == signal.SIGINT or signal.getsignal(sign) is not signal.SIG_IGN:
            loop.add_signal_handler(sign, _stop_or_end_at_once, told_to_stop)
    screen = _Screen()
    # Worked out once: every process of the stack, and every command beside it, has the same clock.
    shift = {} if start_at is None else {CLOCK_SHIFT: shift_to(start_at)}
    stack = Stack(home, free_ports=False, web=web, environment={**os.environ, **shift}, on_change=screen.changed)
    try:
        await stack.claim()
        installing = install_everything(cache_folder(), stack.own_parts(), web=web, say=screen.say)
        if await _unless(told_to_stop, installing):
            began = time.monotonic()
            with screen.live(stack):
                ready = await _unless(told_to_stop, stack.start())
            if ready and (not demo_data or await _unless(told_to_stop, _demo_data(stack, start_at is not None))):
                _welcome(stack, time.monotonic() - began, accounts=demo_data)
                await _watch(stack, told_to_stop)
    finally:
        screen.say("正在停止… Stopping…")
        await stack.stop()
    screen.say("已全部停止。Everything has stopped.")


def _stop_or_end_at_once(told_to_stop: asyncio.Event) -> None:
    if told_to_stop.is_set():
        # The second Ctrl-C: every part gets SIGKILL from the kernel when this process ends.
        _out.show_cursor()
        os._exit(130)
    told_to_stop.set()


async def _unless(told_to_stop: asyncio.Event, work: Coroutine[Any, Any, object]) -> bool:
    """Do the work; give it up, and say False, when told to stop before it is done."""
    doing = asyncio.create_task(work)
    stopping = asyncio.create_task(told_to_stop.wait())
    try:
        await asyncio.wait([doing, stopping], return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            doing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await doing
            return False
        doing.result()
        return True
    finally:
        stopping.cancel()


async def _demo_data(stack: "Stack", true_windows: bool) -> None:
    from deploy.demo_data import load

    loaded = await load(stack.environment, stack.home / "demo-data.json", true_windows=true_windows)
    if loaded.lapsed:
        _out.print(
            f"{loaded.lapsed} 份演示报名已过期限而失效。{loaded.lapsed} demo applications have lapsed: their deadline "
            "passed. `make reset`, then `make up`, begins anew.",
            style="yellow",
            markup=False,
        )


async def _watch(stack: "Stack", told_to_stop: asyncio.Event) -> None:
    """Wait for Ctrl-C; meanwhile say so when a part dies."""
    stopping = asyncio.create_task(told_to_stop.wait())
    while not stopping.done():
        dying = asyncio.create_task(stack.died())
        await asyncio.wait([stopping, dying], return_when=asyncio.FIRST_COMPLETED)
        if dying.done():
            name = dying.result()
            detail = next((part.detail for part in stack.status() if part.name == name), "")
            _out.print(
                f"{name} 已退出（{detail}），其余部分仍在运行。"
                f"{name} {detail}; the others go on. Ctrl-C, then `make up`, starts it again.",
                style="red",
                markup=False,
            )
            _out.print(stack.last_lines(name), style="dim", markup=False)
        else:
            dying.cancel()


def _welcome(stack: "Stack", seconds: float, *, accounts: bool) -> None:
    origin = stack.environment["PUBLIC_ORIGIN"]
    _out.print(f"[bold green]系统已就绪 Everything is ready[/] ({seconds:.1f} s)")
    if float(stack.environment[CLOCK_SHIFT]):
        now = now_in(stack.environment).astimezone(BEIJING)
        _out.print(f"  时钟 clock        {now:%Y-%m-%d %H:%M} 北京时间 in Beijing, and it runs on", style="yellow")
    _out.print(f"  考生 candidates   [link={origin}/]{origin}/[/link]")
    _out.print(f"  审核 staff        [link={origin}/console/]{origin}/console/[/link]")
    _out.print(f"  短信 SMS sent     {stack.environment['SMS_GATEWAY_URL']}/")
    _out.print(f"  日志 logs         {stack.home / 'logs'}", soft_wrap=True)
    if accounts:
        from deploy.demo_data import ACCOUNTS

        table = Table(title="演示账号 demo accounts", title_justify="left", box=None, padding=(0, 2))
        for heading in ("身份 who", "账号 login", "密码 password", "入口 where"):
            table.add_column(heading, overflow="fold")
        for who, login, password, where in ACCOUNTS:
            table.add_row(who, login, password, f"{origin}{where}")
        _out.print(table)
    _out.print("按 Ctrl-C 停止全部。Press Ctrl-C to stop everything.")


class _Screen:
    """A live table on a terminal; elsewhere one plain line per part that has become ready."""

    def __init__(self) -> None:
        self._live: Live | None = None
        self._stack: Stack | None = None
        self._began = time.monotonic()

    def say(self, words: str) -> None:
        _out.print(words, markup=False)

    def changed(self, part: PartStatus) -> None:
        if self._live is not None and self._stack is not None:
            self._live.update(_table(self._stack.status()), refresh=True)
        elif not _out.is_terminal and part.state in (State.READY, State.DONE, State.FAILED, State.DIED):
            seconds = f" {part.seconds:.1f} s" if part.seconds is not None else ""
            self.say(f"{part.name}: {_LOOKS[part.state][1]}{seconds} {part.address} {part.detail}".rstrip())

    @contextlib.contextmanager
    def live(self, stack: "Stack") -> Iterator[None]:
        if not _out.is_terminal:
            yield
            return
        self._stack = stack
        with Live(_table(stack.status()), console=_out, auto_refresh=False) as self._live:
            try:
                yield
            finally:
                self._live.update(_table(stack.status()), refresh=True)
        self._live = None


def _table(parts: list[PartStatus]) -> Table:
    table = Table(box=None, padding=(0, 2))
    for heading in ("部分 part", "状态 state", "秒 s", "地址 address"):
        table.add_column(heading, overflow="fold")
    for part in parts:
        style, words = _LOOKS[part.state]
        seconds = f"{part.seconds:.1f}" if part.seconds is not None else ""
        table.add_row(part.name, f"[{style}]{words}[/]", seconds, part.detail or part.address)
    return table


def _refuse_foreign_folder(home: Path) -> None:
    """Never delete in a folder that no stack has used, whatever `BAOSHEN_HOME` says."""
    ours = home == CHECKOUT / ".local" or (home / "run" / "lock").is_file()
    if not ours or home in (Path.home(), CHECKOUT, Path("/")):
        _out.print(
            f"{home} 不是本系统的数据目录，拒绝删除。It is not a stack's folder; check BAOSHEN_HOME.",
            style="red",
            markup=False,
        )
        raise typer.Exit(2)


def _to_delete(home: Path, cache: Path) -> list[Path]:
    """Everything in the home but what was downloaded, and databases that had to lie elsewhere."""
    kept = {home / "run", home / "uv", home / "cache", cache, *cache.parents}
    outside = [folder.parent for folder in data_folders(home) if home not in folder.parents and folder.exists()]
    return [path for path in (*home.iterdir(), *outside) if path not in kept]


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
