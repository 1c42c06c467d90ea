# SPDX-License-Identifier: MIT
"""Greenlets in gdb, in a live process and from a core. Needs fern's debug information.

    (gdb) source tools/fern-gdb.py
    (gdb) fern-list             every greenlet of every hub
    (gdb) fern-bt 7             where greenlet #7 is parked
    (gdb) fern-select 7         go there: up, down, info locals and bt work as in a thread
    (gdb) fern-select           back to the thread

fern-select shows the parked greenlet's frames as the callers of the thread's innermost frame,
which has nothing to do with them; no register and no memory is changed.
"""

import gdb
import gdb.unwinder

LIFE_LIVE = 3
LIVES = {0: "free", 1: "not started", 2: "ready, has not run", 3: "live", 4: "ended"}

# Of the form of the switch in an assembly file: words from the saved sp.
SAVED = {"rip": (5, 6, 7), "pc": (10, 11, 20)}


def hubs():
    symbols = [symbol for symbol in gdb.lookup_static_symbols("hubs")
               if "fern__hub" in str(symbol.type)]
    if not symbols:
        raise gdb.GdbError("no debug information of fern (is it loaded, and not stripped?)")
    hub = symbols[0].value()
    while hub:
        yield hub
        hub = hub["next"]


def herds(hub):
    herd = hub["herds"]
    while herd:
        yield herd
        herd = herd["older"]


def blocks(hub):
    for herd in herds(hub):
        groups = herd["groups"]
        group = len_of(groups[0]["blocks"].type)
        for index in range(int(herd["count"])):
            g = groups[index // group]["blocks"][index % group]
            if int(g["life"]) != 0:
                yield g


def len_of(array):
    low, high = array.range()
    return high - low + 1


def current(hub, g):
    return int(hub["current"]) == int(g.address)


def name_of(hub, g):
    extra = g["extra"]
    name = extra["name"].string() if extra else ""
    if not name and int(hub["root"]) == int(g.address):
        name = "main"
    return f' "{name}"' if name else ""


def state_of(hub, g):
    life = int(g["life"])
    if life != LIFE_LIVE:
        return LIVES.get(life, "?")
    waiting = f"parked in {g['waiting']['name'].string()}" if int(g["winner"]) else None
    if current(hub, g):
        return waiting or "running"
    return waiting or "ready"


def site_of(g):
    site = g["site"]
    return f" spawned at {site['file'].string()}:{int(site['line'])}" if site else ""


def find(number):
    for hub in hubs():
        for g in blocks(hub):
            if int(g["id"]) == number:
                return hub, g
    raise gdb.GdbError(f"there is no greenlet #{number}")


def register_names():
    wide = gdb.selected_frame().architecture().name()
    if "x86-64" in wide:
        return "rip", "rsp", "rbp"
    if "aarch64" in wide:
        return "pc", "sp", "x29"
    raise gdb.GdbError(f"no switch is known for {wide}")


def place(g):
    """(pc, sp, bp) of one that does not run."""
    context = g["ctx"]
    fields = [field.name for field in context.type.fields()]
    pc_name = register_names()[0]
    if "entry" in fields:
        back = gdb.parse_and_eval("(unsigned long)&fern__switch_back")
        return int(back), int(context["sp"]), int(context["bp"])
    saved_as = context["sp"].type.target().strip_typedefs()
    if saved_as.code == gdb.TYPE_CODE_STRUCT:
        saved = context["sp"].dereference()["uc_mcontext"]
        if pc_name == "rip":
            return tuple(int(saved["gregs"][i]) for i in (16, 15, 10))
        return int(saved["pc"]), int(saved["sp"]), int(saved["regs"][29])
    words = context["sp"].cast(gdb.lookup_type("unsigned long").pointer())
    bp, pc, sp = SAVED[pc_name]
    return int(words[pc]), int(context["sp"]) + 8 * sp, int(words[bp])


class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class Parked(gdb.unwinder.Unwinder):
    """Lets the thread's innermost frame look as if the parked greenlet had called it."""

    def __init__(self):
        super().__init__("fern")
        self.target = None
        self.innermost = None

    def __call__(self, frame):
        if self.target is None:
            return None
        pc_name, sp_name, bp_name = register_names_of(frame)
        here = int(frame.read_register(pc_name)), int(frame.read_register(sp_name))
        if here != self.innermost:
            return None
        # Below every stack: gdb takes frames that do not rise for a corrupt stack.
        info = frame.create_unwind_info(FrameId(gdb.Value(16), gdb.Value(here[0])))
        for name, value in zip((pc_name, sp_name, bp_name), self.target):
            kind = frame.read_register(name).type
            info.add_saved_register(name, gdb.Value(value).cast(kind))
        return info

    def select(self, target):
        gdb.execute("select-frame 0")
        self.target = None
        gdb.invalidate_cached_frames()
        frame = gdb.newest_frame()
        pc_name, sp_name, _ = register_names()
        self.innermost = (int(frame.read_register(pc_name)), int(frame.read_register(sp_name)))
        self.target = target
        gdb.invalidate_cached_frames()


def register_names_of(frame):
    return ("rip", "rsp", "rbp") if "x86-64" in frame.architecture().name() \
        else ("pc", "sp", "x29")


PARKED = Parked()
gdb.unwinder.register_unwinder(None, PARKED, replace=True)


def select(argument):
    if not argument.strip():
        PARKED.select(None)
        return
    hub, g = find(int(argument))
    if int(g["life"]) != LIFE_LIVE:
        raise gdb.GdbError(f"greenlet #{argument} has no stack: {state_of(hub, g)}")
    if current(hub, g):
        raise gdb.GdbError(f"greenlet #{argument} runs: it is the thread itself")
    PARKED.select(place(g))


class List(gdb.Command):
    """fern-list: every greenlet of every hub."""

    def __init__(self):
        super().__init__("fern-list", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        for hub in hubs():
            for g in blocks(hub):
                mark = "*" if current(hub, g) else " "
                print(f"{mark} #{int(g['id'])}{name_of(hub, g)}{site_of(g)}: "
                      f"{state_of(hub, g)}")


class Select(gdb.Command):
    """fern-select ID: go to where a greenlet is parked; without ID: back to the thread."""

    def __init__(self):
        super().__init__("fern-select", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        select(argument)
        gdb.execute("frame 1" if argument.strip() else "frame 0")


class Backtrace(gdb.Command):
    """fern-bt ID: where a greenlet is parked."""

    def __init__(self):
        super().__init__("fern-bt", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        if not argument.strip():
            raise gdb.GdbError("fern-bt ID; fern-list shows the ids")
        select(argument)
        try:
            lines = gdb.execute("backtrace", to_string=True).splitlines()
            print("\n".join(line for line in lines if not line.startswith("#0 ")))
        finally:
            PARKED.select(None)


List()
Select()
Backtrace()
