"""Python imports this by itself where the folder is on its path: whoever reaches for the network fails, on record.

What was guarded is on record too: the last argument of every command, the script of a rule.
"""

import os
import socket
import sys

_LOCAL = ("localhost", "127.0.0.1", "::1", "", None)


def _refuse(where: object) -> None:
    with open(os.environ["HYPER_NETWORK_LOG"], "a", encoding="utf-8") as file:
        file.write(f"{os.getpid()} {where!r}\n")
    raise OSError(f"the network is out of bounds in tests ({where!r})")


def _guarded(method):
    def connect(self, address, *others):
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in _LOCAL:
            _refuse(address)
        return method(self, address, *others)

    return connect


def _resolved(resolve):
    def getaddrinfo(host, *arguments, **options):
        name = host.decode() if isinstance(host, bytes) else host
        if name not in (*_LOCAL, socket.gethostname()):
            _refuse(name)
        return resolve(host, *arguments, **options)

    return getaddrinfo


if "HYPER_NETWORK_LOG" in os.environ:
    with open(os.environ["HYPER_NETWORK_LOG"] + ".guarded", "a", encoding="utf-8") as file:
        file.write(f"{sys.orig_argv[-1]}\n")
    socket.socket.connect = _guarded(socket.socket.connect)
    socket.socket.connect_ex = _guarded(socket.socket.connect_ex)
    socket.getaddrinfo = _resolved(socket.getaddrinfo)
