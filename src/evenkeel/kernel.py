"""Compiling kernels: one decorator, one cache, and calls through native addresses.

A kernel is a function that Numba compiles with strict IEEE arithmetic. `@kernel` decorates without compiling;
`compiled` compiles with one explicit signature when something first needs it, from the cache on disk where it can.

The cache folder is named after a digest of all kernel sources, the versions of Python, Numba and llvmlite, and the
CPU, because Numba itself stamps each file alone and would serve a stale result after an edit in a function that a
kernel calls. It must be set before the first decorator runs, so it is set when this module is imported.

`invoke` calls a node by its address. It is the only place that knows Numba's calling convention; an address is always
an argument, never a global, because a global would be frozen into cached code.

A cached kernel is loaded without what Numba imports before it compiles anything: that costs four times as much as
loading the kernels of a play, and 20 MB.
"""

from __future__ import annotations

import gc
import hashlib
import os
import platform
import re
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding
import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.caching import Cache
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import CPUDispatcher
from numba.core.runtime import rtsys
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array

from evenkeel.model.errors import invariant

KERNEL_IMPORTS = (b"evenkeel.kernel import", b"evenkeel.features.node import")
"""A source file with one of these may hold kernels."""

_DEFINES = re.compile(rb"^@(?:kernel|inlined|condition|indicator|structure)\b", re.MULTILINE)
_NAMES = re.compile(rb"^from (evenkeel[\w.]+) import", re.MULTILINE)

FLOATS = types.Array(types.float64, 1, "C")
FLOATS_IN = types.Array(types.float64, 1, "C", readonly=True)
INTS = types.Array(types.int64, 1, "C")
INTS_IN = types.Array(types.int64, 1, "C", readonly=True)
WINDOW = types.Array(types.float64, 2, "C")
TABLE = types.Array(types.int64, 2, "C")

NODE_SIGNATURE = types.void(FLOATS, FLOATS, WINDOW, INTS, types.int64, types.int64)
"""`(p, s, x, r, start, stop)`: parameters, state, window, rows, first column, column after the last."""

PLUGIN_MODULE = "keel_plugin"
"""Name of the module that a plug-in of the user becomes."""

CACHE_FOLDERS_KEPT = 4
"""Compiled kernels of so many source versions stay on disk; older ones are removed when a new one is made."""

_compiling = threading.Lock()

announce: Callable[[str], None] | None = None
"""Called with one sentence before the first compilation on a fresh cache; the command line sets it."""


def cache_home() -> Path:
    """Return the folder that holds the caches: `$EVENKEEL_KERNEL_CACHE`, else the user's cache directory."""
    chosen = os.environ.get("EVENKEEL_KERNEL_CACHE")
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "evenkeel" / "kernels"


def source_digest(root: Path = Path(__file__).parent) -> str:
    """Return a digest of everything that compiled code depends on, with the package's sources under `root`."""
    digest = hashlib.sha256()
    facts = (
        platform.python_version(), numba.__version__, llvmlite.__version__, llvmlite.binding.get_host_cpu_name(),
        llvmlite.binding.get_host_cpu_features().flatten(), str(numba.config.BOUNDSCHECK), str(numba.config.CPU_NAME),
    )  # fmt: skip
    digest.update(repr(facts).encode())
    for path in _kernel_sources(root):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:24]


def _kernel_sources(root: Path) -> list[Path]:
    """Return the files that may hold kernels, and those whose constants compiled code freezes: what they import."""
    sources = {path: path.read_bytes() for path in root.rglob("*.py")}
    kernels = [path for path, text in sources.items() if any(mark in text for mark in KERNEL_IMPORTS)]
    named = {
        name.decode() for path in kernels if _DEFINES.search(sources[path]) for name in _NAMES.findall(sources[path])
    }
    modules = (root.joinpath(*name.split(".")[1:]).with_suffix(".py") for name in named)
    return sorted({root / "kernel.py", *kernels, *(path for path in modules if path in sources)})


def _prepare_cache() -> tuple[Path | None, bool]:
    """Return the cache folder, or None where nothing can be written, and whether it is new."""
    home = cache_home()
    folder = home / source_digest()
    fresh = not folder.is_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError:
        return None, True
    if fresh:
        _remove_old_caches(home, keep=folder)
    return folder, fresh


def _remove_old_caches(home: Path, *, keep: Path) -> None:
    others = [folder for folder in home.iterdir() if folder.is_dir() and folder != keep and len(folder.name) == 24]
    others.sort(key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in others[CACHE_FOLDERS_KEPT - 1 :]:
        shutil.rmtree(folder, ignore_errors=True)


CACHE_FOLDER, _fresh = _prepare_cache()
if CACHE_FOLDER is not None:
    numba.config.CACHE_DIR = str(CACHE_FOLDER)


class Kernel(CPUDispatcher):  # type: ignore[misc]
    """A kernel before and after it is compiled; other kernels that call it with the same types share its one form.

    To Numba a constant is of a type of its own, so a function to which its callers give numbers of reports and reasons
    is compiled once for each combination. Where such a function is copied into its callers nothing is gained by that:
    LLVM knows the constants then.
    """

    def __init__(self, function: Callable[..., Any], **options: Any) -> None:
        options = {"nopython": True, "boundscheck": None, "nogil": True, "error_model": "numpy"} | options
        super().__init__(function, targetoptions=options)

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Return what a call with these types means, a constant being any number."""
        kws = {name: types.unliteral(kind) for name, kind in kws.items()}
        return super().get_call_template([types.unliteral(kind) for kind in args], kws)


class Inlined(Kernel):
    """A function that is compiled into kernels; nothing is made by which Python could call it."""

    def __call__(self, *_arguments: Any, **_named: Any) -> Any:
        """Refuse a call from Python.

        Raises:
            TypeError: Always.
        """
        raise TypeError(f"{self.__name__} is compiled into kernels only: call `{self.__name__}.py_func`, or a kernel")


def kernel(function: Callable[..., Any]) -> Any:
    """Mark a function as a kernel: strict IEEE float64, no interpreter lock, compiled when first needed.

    A kernel makes no arrays, so it counts no references: counting those of the arrays that are handed to inlined
    functions costs more than a bar. One of a plug-in may make some, and is compiled in each process: the key of the
    cache says nothing about sources outside the package.
    """
    ours = function.__module__ != PLUGIN_MODULE
    made = Kernel(function, _nrt=not ours, no_cfunc_wrapper=True)
    if ours and CACHE_FOLDER is not None:
        made.enable_caching()
    return made


def inlined(function: Callable[..., Any]) -> Any:
    """Mark a small function that only other kernels call; it is compiled into its callers and never on its own."""
    return Inlined(function, _nrt=False, forceinline=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def compiled(dispatcher: Any, signature: Any) -> Any:
    """Compile a kernel with its one signature, from the cache where possible, and return it.

    A second signature can never slip in: after this call the kernel refuses arguments of other types. Threads may ask
    for the same kernel: one compiles it, and the others wait until it is closed.
    """
    if not dispatcher.overloads:
        with _compiling:
            if not dispatcher.overloads:
                if not _loaded(dispatcher, signature):
                    _announce_once()
                    with _keeping_garbage():
                        dispatcher.compile(signature)
                dispatcher.disable_compile()
    return dispatcher


@contextmanager
def _keeping_garbage() -> Iterator[None]:
    """Leave garbage where it is while something is compiled: going through all of it is a tenth of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _loaded(dispatcher: Any, signature: Any) -> bool:
    """Load a kernel from the cache on disk; False where it is not there.

    It does what `Dispatcher.compile` does with a cached kernel, but for `targetctx.refresh()`: declarations of all that
    Numba can compile are of no use to code that is compiled. A compilation brings them in by itself.
    """
    cache, context = dispatcher._cache, dispatcher.targetctx
    if not isinstance(cache, Cache):
        return False
    with global_compiler_lock:
        rtsys.initialize(context)
        with cache._guard_against_spurious_io_errors():
            found = cache._load_overload(signature, context)
        if found is None:
            return False
        dispatcher._cache_hits[signature] += 1
        context.insert_user_function(found.entry_point, found.fndesc, [found.library])
        dispatcher.add_overload(found)
    return True


@cache
def address_of(dispatcher: Any) -> int:
    """Return the native address of a node kernel, valid in this process only; it is looked up once."""
    compiled(dispatcher, NODE_SIGNATURE)
    (overload,) = dispatcher.overloads.values()
    address = overload.library.get_pointer_to_function(overload.fndesc.llvm_func_name)
    invariant(address != 0, "a compiled kernel has no address", kernel=dispatcher.__name__)
    return int(address)


def _announce_once() -> None:
    global _fresh
    if not _fresh:
        return
    _fresh = False
    if announce is not None:
        where = "" if CACHE_FOLDER is not None else "; no cache folder can be written, so every start will do it again"
        announce(f"compiling kernels for this machine, once, a few seconds{where}")


@intrinsic  # type: ignore[untyped-decorator]
def floats_at(typing_context: Any, address: Any, length: Any) -> tuple[Any, Callable[..., Any]]:
    """Return the float64 values at an address as an array; whoever gives the address keeps the memory."""
    del typing_context, address, length
    return FLOATS(types.int64, types.int64), _as_array


@intrinsic  # type: ignore[untyped-decorator]
def ints_at(typing_context: Any, address: Any, length: Any) -> tuple[Any, Callable[..., Any]]:
    """Return the int64 values at an address as an array."""
    del typing_context, address, length
    return INTS(types.int64, types.int64), _as_array


@intrinsic  # type: ignore[untyped-decorator]
def window_at(typing_context: Any, address: Any, rows: Any, columns: Any) -> tuple[Any, Callable[..., Any]]:
    """Return the float64 values at an address as a table."""
    del typing_context, address, rows, columns
    return WINDOW(types.int64, types.int64, types.int64), _as_array


def _as_array(context: Any, builder: Any, signature: Any, arguments: Sequence[Any]) -> Any:
    """Generate an array of the signature's type over memory at the first argument; the others are its shape."""
    kind = signature.return_type
    array = make_array(kind)(context, builder)
    size = context.get_constant(types.intp, 8)
    strides = [size]
    for extent in reversed(arguments[2:]):
        strides.insert(0, builder.mul(strides[0], extent))
    populate_array(
        array, data=builder.inttoptr(arguments[0], array.data.type), shape=list(arguments[1:]), strides=strides,
        itemsize=size, meminfo=None,
    )  # fmt: skip
    return array._getvalue()


@intrinsic  # type: ignore[untyped-decorator]
def fetch_ahead(typing_context: Any, values: Any, place: Any) -> tuple[Any, Callable[..., Any]]:
    """Ask the processor to bring a place of an array into its caches; it changes nothing and may lie anywhere."""
    del typing_context, place

    def generate(context: Any, builder: Any, signature: Any, arguments: Sequence[Any]) -> Any:
        data = make_array(signature.args[0])(context, builder, value=arguments[0]).data
        address = builder.bitcast(builder.gep(data, [arguments[1]]), ir.IntType(8).as_pointer())
        word = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [address.type, word, word, word])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [address, word(0), word(3), word(1)])
        return context.get_dummy_value()

    return types.void(values, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def first_one(typing_context: Any, values: Any, start: Any) -> tuple[Any, Callable[..., Any]]:
    """Return which of the `LANES` values from `start` on is the first that is 1.0, or `LANES`; all must be there."""
    del typing_context, start

    def generate(context: Any, builder: Any, signature: Any, arguments: Sequence[Any]) -> Any:
        data = make_array(signature.args[0])(context, builder, value=arguments[0]).data
        lanes = ir.VectorType(ir.DoubleType(), LANES)
        place = builder.bitcast(builder.gep(data, [arguments[1]]), lanes.as_pointer())
        ones = builder.fcmp_ordered("==", builder.load(place, align=8), ir.Constant(lanes, [1.0] * LANES))
        found = builder.zext(builder.bitcast(ones, ir.IntType(LANES)), ir.IntType(64))
        beyond = builder.or_(found, ir.IntType(64)(1 << LANES))
        return builder.cttz(beyond, ir.IntType(1)(1))

    return types.int64(values, types.int64), generate


LANES = 32
"""Values that `first_one` looks at."""


@intrinsic  # type: ignore[untyped-decorator]
def invoke(
    typing_context: Any, address: Any, p: Any, s: Any, x: Any, r: Any, start: Any, stop: Any
) -> tuple[Any, Callable[..., Any]]:
    """Call the node at `address` with `(p, s, x, r, start, stop)`; an error inside passes on to the caller."""
    del typing_context, address, p, s, x, r, start, stop
    signature = types.void(types.int64, *NODE_SIGNATURE.args)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Sequence[Any]) -> Any:
        function_type = context.call_conv.get_function_type(NODE_SIGNATURE.return_type, NODE_SIGNATURE.args)
        pointer = builder.inttoptr(arguments[0], ir.PointerType(function_type))
        status, _ = context.call_conv.call_function(
            builder, pointer, NODE_SIGNATURE.return_type, NODE_SIGNATURE.args, arguments[1:]
        )
        with cgutils.if_unlikely(builder, status.is_error):
            context.call_conv.return_status_propagate(builder, status)
        return context.get_dummy_value()

    return signature, generate
