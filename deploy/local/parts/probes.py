"""Small health probes."""

import asyncio
import contextlib

from deploy.local.ports import LOOPBACK


async def listens(port: int) -> bool:
    """Whether a server accepts connections on this loopback port."""
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


async def answers(port: int, path: str) -> bool:
    """Whether an HTTP server on this loopback port answers a GET of this path with 200."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}:{port}\r\nConnection: close\r\n\r\n".encode("ascii"))
        await writer.drain()
        status = (await reader.readline()).split()
        return len(status) > 1 and status[1] == b"200"
    finally:
        writer.close()


async def run_once(*command: str, hint: str, within: float = 60, **options: object) -> None:
    """Run a helper program to its end; raise with its last words if it fails."""
    from deploy.local.errors import StackError

    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        **options,  # type: ignore[arg-type]
    )
    try:
        async with asyncio.timeout(within):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        words = "\n".join(f"  {line}" for line in output.decode("utf-8", "replace").splitlines()[-12:])
        raise StackError(f"{hint} (exit code {process.returncode})\n{words}")
