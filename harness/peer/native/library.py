"""`lanes.c`, compiled into the user's cache: nothing of an installation needs a compiler.

`python -m harness.peer.native` builds it. It is used where it was built from the very source that is
installed; HARNESS_NATIVE=false leaves it aside.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from cffi import FFI

from harness.config.settings import read_settings
from harness.core.errors import UsageError
from harness.peer import srtp
from harness.platform.plain import is_linux, is_plain

SOURCE = Path(__file__).with_name("lanes.c")
FLAGS = ("-O2", "-shared", "-fPIC", "-Wall", "-Wextra")
BUILD_SECONDS = 60.0
BATCH = 5  # packets in a row, as in lanes.c
LARGEST = 2048  # bytes that are read of a datagram, as in lanes.c

# Of its structures no more than the beginning: Python makes none, and copies none.
DEFINITIONS = """
struct packet { double at; uint32_t length; uint32_t control; };
struct lane {
    double since, next_look;
    uint64_t sent, octets;
    uint32_t ssrc, timestamp;
    int next, ready;
    uint16_t sequence;
    uint8_t payload_type, marker;
    ...;
};
struct reader {
    double at, late;
    int id, error, size, port, taken;
    char address[80];
    unsigned char data[2048];
    ...;
};
void use_srtp(void *protect, void *unprotect, void *unprotect_control);
struct lane *lane_new(void);
void lane_free(struct lane *);
void lane_keys(struct lane *, void *outgoing, void *incoming);
const struct packet *lane_packets(const struct lane *);
const unsigned char *lane_came(const struct lane *);
int lane_hold(struct lane *, const unsigned char *datagram, int size, double at);
int lane_plug(struct lane *, int fd, const char *address, int port);
int lane_protect(struct lane *, const unsigned char *payload, const int *sizes, int frames, int samples);
int lane_send(struct lane *);
const unsigned char *lane_unsent(const struct lane *, int *size);
int lanes_serve(struct lane *const *, int number, double deadline, int *which, int *what);
int lane_open(struct lane *);
struct reader *reader_new(int epoll);
void reader_free(struct reader *);
int reader_add(struct reader *, int id, int fd);
void reader_remove(struct reader *, int id);
void reader_lane(struct reader *, int id, struct lane *);
void reader_begin(struct reader *, int budget, double offset);
int reader_next(struct reader *);
int reader_left(const struct reader *);
""".replace("    ...;\n", "")

ffi = FFI()
ffi.cdef(DEFINITIONS)


@cache
def library() -> Any | None:
    """The compiled functions; None where they are not built, or not wanted."""
    path = built_at()
    if is_plain() or not read_settings().native or not path.is_file():
        return None
    return opened(path)


def opened(path: Path) -> Any:
    """A compiled library, with libsrtp's functions in it, which pylibsrtp has linked."""
    found = ffi.dlopen(str(path))
    found.use_srtp(*(ffi.cast("void *", address) for address in srtp.functions()))
    return found


def built_at() -> Path:
    """Where a library of this source, machine and system is, or would be."""
    told = SOURCE.read_bytes() + f"{FLAGS} {platform.machine()} {platform.libc_ver()}".encode()
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    name = f"lanes-{hashlib.sha256(told).hexdigest()[:16]}.so"
    return Path(home).expanduser() / "voice-relay-harness" / name


def build() -> Path:
    """Compile it. Raises UsageError where that cannot be, in the compiler's words."""
    if not is_linux():
        raise UsageError("the native packet path is for Linux")
    compiler = os.environ.get("CC") or next((c for c in ("cc", "gcc", "clang") if shutil.which(c)), None)
    if compiler is None:
        raise UsageError("there is no C compiler: install gcc or clang, or name one in CC")
    path = built_at()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder) / path.name
        command = [*compiler.split(), *FLAGS, "-o", str(made), str(SOURCE)]
        try:
            done = subprocess.run(  # noqa: S603  (the user's own compiler, our own source)
                command, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UsageError(f"{compiler} cannot be run: {error}") from error
        if done.returncode:
            raise UsageError(f"{compiler} failed: {done.stderr.strip()[-2000:]}")
        made.replace(path)
    return path
