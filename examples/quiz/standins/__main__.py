"""Serves both on loopback, or on listening sockets that it was handed: `python -m standins --help`."""

import argparse
import asyncio
import socket

import uvicorn
from starlette.applications import Starlette

from standins.canvas import canvas
from standins.llm import llm


def main() -> None:
    parser = argparse.ArgumentParser(prog="standins", description="Canvas and a language model, as far as is needed.")
    parser.add_argument("--canvas-port", type=int, default=8101)
    parser.add_argument("--llm-port", type=int, default=8102)
    parser.add_argument("--fds", type=int, nargs=2, metavar=("CANVAS", "LLM"), help="listening sockets, for ports")
    parser.add_argument("--scale", type=float, default=1.0, help="of their delays: 0.01 for a hundredth")
    asked = parser.parse_args()
    if asked.fds is not None:
        sockets = [socket.socket(fileno=fd) for fd in asked.fds]
    else:
        sockets = [listening(asked.canvas_port), listening(asked.llm_port)]
    asyncio.run(serve([canvas(asked.scale), llm(asked.scale)], sockets))


def listening(port: int) -> socket.socket:
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    opened.bind(("127.0.0.1", port))
    return opened


async def serve(apps: list[Starlette], sockets: list[socket.socket]) -> None:
    # Others keep connections so long, too: one that is closed as it is used again would be an error of ours.
    kept = 75
    configs = [uvicorn.Config(app, log_level="warning", access_log=False, timeout_keep_alive=kept) for app in apps]
    servers = [uvicorn.Server(config) for config in configs]
    await asyncio.gather(
        *(server.serve(sockets=[own]) for server, own in zip(servers, sockets, strict=True)),
    )


if __name__ == "__main__":
    main()
