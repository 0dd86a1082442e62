"""The paths that every SDK's program has, in Python: asyncio on componentize-py's event loop."""

import asyncio
import json
import random
import secrets
import sys
import time
from urllib.parse import urlsplit

from componentize_py_types import Err, Ok
from poll_loop import PollLoop, Sink, Stream, send
from wit_world import exports
from wit_world.imports import atomics, logging, types, wasi_keyvalue_store


class IncomingHandler(exports.IncomingHandler):
    def handle(self, request, response_out):
        loop = PollLoop()
        asyncio.set_event_loop(loop)
        loop.run_until_complete(answer(request, response_out))


async def answer(request, response_out):
    url = urlsplit(request.path_with_query() or "/")
    target = url.query.removeprefix("url=") if url.query.startswith("url=") else None
    match url.path:
        case "/hello":
            await reply(response_out, 200, "hello from python\n")
        case "/log":
            print(f"stdout: {url.query}")
            print(f"stderr: {url.query}", file=sys.stderr)
            logging.log(logging.Level.INFO, "test", f"info: {url.query}")
            await reply(response_out, 200, "logged\n")
        case "/fetch":
            await relay(response_out, target)
        case "/count":
            await reply(response_out, 200, f"{count()}\n")
        case "/fail":
            await fail(response_out, target)
        case "/raise":
            raise RuntimeError("raised on purpose")
        case path:
            await reply(response_out, 404, f"no such path: {path}\n")


async def relay(response_out, target):
    try:
        response = await get(target)
    except Err as error:
        return await reply(response_out, 502, f"{error.value}\n")
    sink = start(response_out, 200)
    stream = Stream(response.consume())
    while (chunk := await stream.next()) is not None:
        await sink.send(chunk)
    sink.close()


async def fail(response_out, target):
    """Clock, chance, a timer, a bucket and another host, then an error that shows them all."""
    work = {"wall_ns": time.time_ns(), "random": random.random(), "token": secrets.token_hex(16)}
    started = time.monotonic_ns()
    time.sleep(0.001)
    work["slept_ns"] = time.monotonic_ns() - started
    try:
        work["count"] = count()
    except Err as error:
        work["count"] = str(error.value)
    if target is not None:
        stream = Stream((await get(target)).consume())
        chunks = []
        while (chunk := await stream.next()) is not None:
            chunks.append(chunk)
        work["fetched"] = b"".join(chunks).decode()
    print("giving up")
    await reply(response_out, 500, json.dumps(work) + "\n")


def count():
    with wasi_keyvalue_store.open("things") as bucket:
        return atomics.increment(bucket, "visits", 1)


async def get(target):
    url = urlsplit(target)
    request = types.OutgoingRequest(types.Fields())
    request.set_scheme(types.Scheme_Http() if url.scheme == "http" else types.Scheme_Https())
    request.set_authority(url.netloc)
    request.set_path_with_query((url.path or "/") + (f"?{url.query}" if url.query else ""))
    return await send(request)


def start(response_out, status):
    response = types.OutgoingResponse(types.Fields.from_list([("content-type", b"text/plain; charset=utf-8")]))
    response.set_status_code(status)
    body = response.body()
    types.ResponseOutparam.set(response_out, Ok(response))
    return Sink(body)


async def reply(response_out, status, text):
    sink = start(response_out, status)
    await sink.send(text.encode())
    sink.close()
