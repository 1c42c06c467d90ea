# SPDX-License-Identifier: MIT
"""The programs that are compared: what each can be asked for, and how it is built. A program
that cannot be built here is left out by name, with the reason."""

import glob
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
OUT = os.path.join(ROOT, "build", "bench")
BIN = os.path.join(OUT, "bin")
PREFIX = os.path.join(OUT, "prefix")
PYTHON = "/usr/bin/python3"

C_FLAGS = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Wundef", "-Wmissing-prototypes",
           "-Wstrict-prototypes", "-Wshadow", "-Wvla"]
CC_FLAGS = ["-std=gnu++17", "-O2", "-Wall", "-Wextra", "-Wshadow"]

ECHO = ("echo-1", "echo-64", "echo-1000", "echo-unix-64")
THREADS = ("yield-100k", "spawn", "spawn-batch", "pingpong", "parked-100k")
QUEUES = ("queue-pingpong", "queue-rendezvous", "queue-buffered", "queue-select", "queue-mutex",
          "queue-event")
SKYNET = ("queue-skynet", "queue-skynet-channel")
SLEEPS = ("sleep-100us", "sleep-1ms")


class Missing(Exception):
    """A program cannot be had here; the text says why."""


@dataclass
class Program:
    name: str
    build: object  # called with the program; returns the command that starts it
    runs: tuple
    language: str
    environment: dict = field(default_factory=dict)


def call(command, **options):
    """Run a command that builds something; its output is shown only when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        lines = (done.stdout + done.stderr).strip().splitlines()
        raise Missing(f"{os.path.basename(command[0])} failed:\n    " + "\n    ".join(lines[-12:]))
    return done.stdout


def need(tool):
    found = shutil.which(tool)
    if not found:
        raise Missing(f"{tool} is not installed")
    return found


def sources(*names):
    return [path for name in names for path in sorted(glob.glob(os.path.join(HERE, name)))]


def compile_c(name, files, flags=()):
    """An executable from C and C++ files and bench.c."""
    os.makedirs(BIN, exist_ok=True)
    ground = os.path.join(BIN, "bench.o")
    call([need("cc"), *C_FLAGS, "-c", *sources("bench.c"), "-o", ground])
    target = os.path.join(BIN, name)
    if files[0].endswith(".cc"):
        command = [need("c++"), *CC_FLAGS]
    else:
        command = [need("cc"), *C_FLAGS]
    call([*command, *files, ground, "-o", target, *flags])
    return [target]


def need_header(header, package, language="c"):
    done = subprocess.run([need("cc"), "-E", "-x", language, "-"], input=f"#include <{header}>\n",
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Missing(f"{header} is not installed (Debian: {package})")


def build_fern(program):
    """Build and install the library as users do, and build against the installed copy."""
    build = os.path.join(OUT, "meson")
    if not os.path.exists(os.path.join(build, "build.ninja")):
        call([need("meson"), "setup", build, ROOT, "--prefix", PREFIX, "--libdir", "lib",
              "-Dtests=false", "-Dexamples=false"])
    call([need("meson"), "install", "-C", build])
    environment = {**os.environ, "PKG_CONFIG_PATH": os.path.join(PREFIX, "lib", "pkgconfig")}
    flags = call([need("pkg-config"), "--cflags", "--libs", "fern"], env=environment).split()
    flags.append(f"-Wl,-rpath,{PREFIX}/lib")
    return compile_c(program.name, sources("fern/*.c"), flags)


def build_floor(name, *files, flags=()):
    return lambda program: compile_c(name, sources(*(f"floor/{file}" for file in files)), flags)


def build_calls(program):
    library = os.path.join(BIN, "libcalls.so")
    os.makedirs(BIN, exist_ok=True)
    call([need("cc"), *C_FLAGS, "-shared", "-fPIC", *sources("floor/calls_library.c"),
          "-o", library])
    return compile_c(program.name, sources("floor/calls.c"), [library, f"-Wl,-rpath,{BIN}"])


def build_boost(program):
    need_header("boost/context/detail/fcontext.hpp", "libboost-context-dev", "c++")
    return compile_c(program.name, sources("peers/boost.cc"), ["-lboost_context"])


def build_boost_fiber(program):
    need_header("boost/fiber/all.hpp", "libboost-fiber-dev", "c++")
    return compile_c(program.name, sources("peers/boost_fiber.cc"),
                     ["-lboost_fiber", "-lboost_context"])


def build_state_threads(program):
    need_header("st.h", "libst-dev")
    return compile_c(program.name, sources("peers/state_threads*.c"), ["-lst"])


def build_libuv(program):
    need_header("uv.h", "libuv1-dev")
    return compile_c(program.name, sources("peers/libuv.c"), ["-luv"])


def go_version(go):
    text = subprocess.run([go, "version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part or 0) for part in found.groups()) if found else (0,)


def build_go(program):
    folders = os.environ.get("PATH", "").split(os.pathsep)
    folders += ["/usr/local/go/bin", *glob.glob("/usr/lib/go-*/bin")]
    found = {path for path in (os.path.join(folder, "go") for folder in folders)
             if os.access(path, os.X_OK)}
    if not found:
        raise Missing("go is not installed")
    newest = max(found, key=go_version)
    program.language = "Go " + ".".join(map(str, go_version(newest)))
    target = os.path.join(BIN, "go")
    call([newest, "build", "-o", target, *sources("peers/go/*.go")])
    return [target]


def build_tokio(program):
    need("cargo")
    target = os.path.join(OUT, "tokio")
    command = ["cargo", "build", "--release", "--locked", "--manifest-path",
               os.path.join(HERE, "peers", "tokio", "Cargo.toml"), "--target-dir", target]
    try:
        call([*command, "--offline"])
    except Missing:
        call(command)
    return [os.path.join(target, "release", "bench-tokio")]


def build_python(module, script):
    def build(program):
        if not os.path.exists(PYTHON):
            raise Missing(f"{PYTHON} is not installed")
        done = subprocess.run([PYTHON, "-c", f"import {module}"], capture_output=True, check=False)
        if done.returncode != 0:
            raise Missing(f"{PYTHON} has no {module} (Debian: python3-{module})")
        return [PYTHON, os.path.join(HERE, "peers", "python", script)]
    return build


def build_load():
    """The load generator, and what touches memory before a measure of a million."""
    return {"load": compile_c("load", sources("load/*.c")),
            "touch": compile_c("touch", sources("floor/touch.c"))}


PROGRAMS = (
    Program("fern", build_fern, ("yield", "yield-callers", *THREADS, "parked-1m", "sleepers-1m",
                                 *SLEEPS, "scope", "cancel", *QUEUES, *SKYNET, "pool-map", *ECHO),
            "C"),
    Program("bare-switch", build_floor("bare-switch", "switch.c"), ("yield", "yield-callers"),
            "C"),
    Program("bare-stacks", build_floor("bare-stacks", "stacks.c"),
            ("sleepers-1m", "queue-skynet"), "C"),
    Program("bare-calls", build_calls, ("queue-mutex", "queue-buffered"), "C"),
    Program("nanosleep", build_floor("nanosleep", "sleep.c"), SLEEPS, "C"),
    Program("clock", build_floor("clock", "clock.c"), ("scope",), "C"),
    Program("epoll-lt", build_floor("epoll-lt", "epoll_lt.c", "echo.c"), ECHO, "C"),
    Program("epoll-et", build_floor("epoll-et", "epoll_et.c", "echo.c"), ECHO, "C"),
    Program("epoll-own", build_floor("epoll-own", "epoll_et.c", "echo.c",
                                     flags=["-DOWN_BUFFERS"]), ECHO, "C"),
    Program("blocking", build_floor("blocking", "blocking.c", "echo.c"), ("echo-1",), "C"),
    Program("boost", build_boost, ("yield", "yield-callers"), "C++"),
    Program("boost-fiber", build_boost_fiber,
            ("queue-pingpong", "queue-rendezvous", "queue-buffered"), "C++"),
    Program("go", build_go, ("yield", "yield-callers", *THREADS, "parked-1m", "sleepers-1m",
                             *SLEEPS, "scope", *QUEUES, *SKYNET, "pool-map", *ECHO), "Go"),
    Program("tokio", build_tokio, ("yield", *THREADS, "parked-1m", "sleepers-1m", *SLEEPS,
                                   "scope", *SKYNET, *ECHO), "Rust"),
    Program("state-threads", build_state_threads,
            ("spawn", "spawn-batch", "pingpong", "parked-100k", "parked-1m", "sleepers-1m",
             *SLEEPS, "queue-pingpong", "queue-buffered", "queue-mutex", *ECHO), "C"),
    Program("libuv", build_libuv, ("sleepers-1m", "sleep-1ms", *ECHO), "C"),
    Program("gevent", build_python("gevent", "gevent_bench.py"),
            ("yield", *THREADS, *SLEEPS, "scope", *ECHO), "Python"),
    Program("asyncio", build_python("asyncio", "asyncio_bench.py"),
            ("yield", *THREADS, *SLEEPS, "scope", *ECHO), "Python"),
    Program("uvloop", build_python("uvloop", "asyncio_bench.py"),
            ("yield", *THREADS, *SLEEPS, "scope", *ECHO), "Python",
            environment={"FERN_BENCH_LOOP": "uvloop"}),
)
