"""How each kind of workload is measured: which sides take turns, and what is made of their rows."""
import json
import math
import os
import subprocess
import tempfile
import time

import rivals
import workloads
from sides import BUILT, Side, fma_side, read_side, row_of, take_turns, values_of, worked

# Two computations of the same thing in float32 agree to this, relative to the largest of their values.
TOLERANCE = 1e-3


def difference(ours, theirs):
    """The largest one, relative to the largest value; infinite where there is nothing to compare."""
    if not ours or len(ours) != len(theirs) or not all(map(math.isfinite, [*ours, *theirs])):
        return math.inf
    scale = max(map(abs, ours)) or 1.0
    return max(abs(a - b) for a, b in zip(ours, theirs)) / scale


def check(result, ours, peers):
    """Whether the peers compute what unroll does; who does not, and who cannot say, is named."""
    own, why = values_of("unroll", *ours)
    for name, command, environment in peers:
        found, failed = (None, why) if own is None else values_of(name, command, environment)
        off = math.inf if found is None else difference(own, found)
        kind = name.split(" (")[0]
        if found is None:
            result["checks"][kind] = f"not checked: {failed}"
        elif off > TOLERANCE:
            result["checks"][kind] = f"COMPUTES SOMETHING ELSE (by {off:.1e})"
        else:
            result["checks"][kind] = f"the same to {off:.1e}"


def one_of_each(peers):
    """The first of each peer, whatever its settings."""
    return list({name.split(" (")[0]: (name, command, environment)
                 for name, command, environment in reversed(peers)}.values())


def checked(peers):
    return [(name, [*command, "check"], environment) for name, command, environment in one_of_each(peers)]


def sides_of(peers):
    return [Side(*peer) for peer in peers]


def against_best(result, own, peers):
    """Adds how unroll's row stands against each peer at its best, and against the best of all."""
    result["ratios"] = {}
    for row in worked(peers):
        if "failed" in own:
            break
        kind = row["name"].split(" (")[0]
        ratio = row["min_us"] / own["min_us"]
        if ratio < result["ratios"].get(kind, (math.inf,))[0]:
            result["ratios"][kind] = (ratio, row["median_us"] / own["median_us"])


def new_result(name, threads):
    return {"workload": name, "threads": threads, "sides": [], "ratios": {}, "checks": {}}


def training(name, threads, options):
    result = new_result(name, threads)
    rest = [*rivals.torch_sides("torch_steps.py", name, threads), *rivals.onednn(name, threads), *rivals.tfjs(name)]
    program = [BUILT / "steps", name, threads]
    if options.check:
        check(result, ([*program, "check"],), checked(rest))
    machine = fma_side(threads)
    sides = [Side("unroll", program), *sides_of(rest)]
    take_turns([*sides, machine], options.rounds, options.slice)
    result["sides"], result["peak_gflops"] = [side.row() for side in sides], machine.best()
    for row in worked(result["sides"]):
        if machine.best():
            row["share_of_peak"] = workloads.operations(name) / row["min_us"] / 1e3 / machine.best()
    against_best(result, result["sides"][0], result["sides"][1:])
    return result


def masks(name, threads, options):
    result = new_result(name, threads)
    kinds = {"full": "every step counts", "right": "padded behind", "left": "padded in front"}
    sides = [Side(text, [BUILT / "steps", f"{name}_{kind}", threads]) for kind, text in kinds.items()]
    take_turns(sides, options.rounds, options.slice)
    result["sides"] = [side.row() for side in sides]
    for row in worked(result["sides"]):
        if "failed" not in result["sides"][0]:
            row["share_of_full"] = row["median_us"] / result["sides"][0]["median_us"]
    return result


def long(name, threads, options):
    result = new_result(name, threads)
    sides = [Side(layer, [BUILT / "steps", f"{name}_{layer.lower()}", threads]) for layer in ("MinGRU", "GRU")]
    take_turns(sides, options.rounds, options.slice)
    result["sides"] = [side.row() for side in sides]
    against_best(result, result["sides"][0], result["sides"][1:])
    return result


def scan(name, threads, options):
    result = new_result(name, threads)
    sides = [Side(f"{way}, {steps:,} steps", [BUILT / "scan", steps, way])
             for way in ("forward", "backward") for steps in (4096, 16384, 65536)]
    take_turns(sides, options.rounds, options.slice)
    result["sides"] = [side.row() for side in sides]
    for row in worked(result["sides"]):
        row["giga_per_second"] = row["numbers"] / row["min_us"] / 1e3
    return result


def scaled(name, threads, options):
    """The same at several sizes: time beside what the smallest one would grow to, memory without the data's own."""
    _, factors, (unit, what) = workloads.SCALED[name]
    result = new_result(name, threads)
    machine = fma_side(threads)
    sides = [Side(f"{factor * unit:,} {what}", [BUILT / "scaling", name, factor, threads]) for factor in factors]
    take_turns([*sides, machine], options.rounds, options.slice)
    result["sides"] = [side.row() for side in sides]
    first = result["sides"][0]
    for row, factor in zip(result["sides"], factors):
        if "failed" in row:
            continue
        if name != "units" and "failed" not in first:
            row["of_linear"] = row["min_us"] / first["min_us"] / factor
        if name == "data":
            row["mb_beside_data"] = row["peak_mb"] - row["data_kb"] / 1024
        if "operations" in row and machine.best():
            row["share_of_peak"] = row["operations"] / row["min_us"] / 1e3 / machine.best()
    return result


def add_node_cost(rows):
    """ONNX Runtime's rows get what node itself takes of a call."""
    node = [row for row in worked(rows) if row["name"] == "node alone"]
    for row in worked(rows):
        if node and row["name"].startswith("ONNX Runtime"):
            row["node_us"] = node[0]["min_us"]


def step(name, threads, options):
    """One step in each form of weights; a peer's ratio is float32's."""
    layer, numbers = name.removesuffix("step"), workloads.STEPS[name][1]
    result = new_result(name, threads)
    rest = [*rivals.torch_sides("torch_step.py", layer, threads), *rivals.onnx(layer, threads)]
    if options.check:
        torch = [(side, [*command[:2], "check", layer], environment)
                 for side, command, environment in one_of_each(rest) if side.startswith("PyTorch")]
        check(result, ([BUILT / "step", "check", layer],),
              [*torch, *(peer for peer in checked(rest) if peer[0].startswith("ONNX"))])
    kinds = workloads.BYTES_OF
    sides = [Side(f"unroll {kind}", [BUILT / "step", layer, kind]) for kind in kinds]
    readers = [read_side(numbers * size) for size in kinds.values()]
    peers = sides_of(rest)
    take_turns([*sides, *readers, *peers], options.rounds, options.slice)
    rows = [side.row() for side in sides]
    for row, size, reader in zip(rows, kinds.values(), readers):
        if "failed" in row or not reader.best():
            continue
        row["gb_s"] = numbers * size / row["min_us"] / 1e3
        row["share_of_bandwidth"] = row["gb_s"] / reader.best()
        if "failed" not in rows[0]:
            row["times_float32"] = rows[0]["min_us"] / row["min_us"]
    result["sides"] = rows + [peer.row() for peer in peers]
    add_node_cost(result["sides"])
    against_best(result, rows[0], [row for row in result["sides"][len(rows):] if row["name"] != "node alone"])
    if "failed" not in rows[0]:
        recorded = workloads.STEPS[name][2]
        result["ratios"]["ONNX Runtime from C++, as recorded"] = (recorded / rows[0]["min_us"],
                                                                 recorded / rows[0]["median_us"])
    return result


def batch(name, threads, options):
    _, layer, units = workloads.BATCHES[name]
    result, rest = new_result(name, threads), rivals.onnx(name, threads)
    program = [BUILT / "predict", layer, units, threads]
    if options.check:
        check(result, ([*program, "check"],), checked([peer for peer in rest if peer[0] != "node alone"]))
    machine = fma_side(threads)
    sides = [Side("unroll", program), *sides_of(rest)]
    take_turns([*sides, machine], options.rounds, options.slice)
    result["sides"] = [side.row() for side in sides]
    for row in worked(result["sides"]):
        if machine.best() and row["name"] != "node alone":
            row["share_of_peak"] = workloads.operations_of_batch(name) / row["min_us"] / 1e3 / machine.best()
    add_node_cost(result["sides"])
    against_best(result, result["sides"][0], [row for row in result["sides"][1:] if row["name"] != "node alone"])
    return result


def cold(name, threads, options):
    """Whole processes, from start to end."""
    with tempfile.TemporaryDirectory() as folder:
        torch = [rivals.PYTHON, rivals.PEERS / "torch_step.py"]
        commands = {"unroll": ([BUILT / "step", "cold", f"{folder}/unroll"], {})}
        saves = {"unroll": [BUILT / "step", "save", f"{folder}/unroll"]}
        if rivals.versions()["PyTorch"]:
            commands["PyTorch"] = ([*torch, "cold", f"{folder}/torch"], rivals.torch_environment(1, 1))
            saves["PyTorch"] = [*torch, "save", f"{folder}/torch"]
        for side, command, environment in rivals.onnx("cold", 1, ["once"]):
            commands[side] = (command, environment)
        result, slices = new_result(name, threads), {side: [] for side in commands}
        failed = {side: None for side in commands}
        for side, command in saves.items():
            failed[side] = run_once(command, {})[1]
        for _ in range(max(options.rounds, 5)):
            for side, (command, environment) in commands.items():
                if failed[side] is None:
                    part, failed[side] = run_once(command, environment)
                    slices[side].append(part)
    result["sides"] = [row_of(side, slices[side], failed[side]) for side in commands]
    add_node_cost(result["sides"])
    against_best(result, result["sides"][0], [row for row in result["sides"][1:] if row["name"] != "node alone"])
    return result


def run_once(command, environment):
    """(a slice of one step: the whole process, with what its last line tells, None), or (None, why it failed)."""
    begin = time.perf_counter()
    with Side("", command, environment) as side:
        if side.failed:
            return None, side.failed
        try:
            said, _ = side.process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            return None, "no end within 60 s"
        seconds = time.perf_counter() - begin
        if side.process.returncode != 0:
            return None, side.last_words()
    last = (said.splitlines() or [b""])[-1]
    return {"min": seconds, "median": seconds, **(json.loads(last) if last.startswith(b"{") else {})}, None


def cannot(name):
    """Why a workload cannot be measured here; None where it can."""
    folder = os.environ.get("UNROLL_DATA_DIR")
    if name != "reviews" or (folder and any(os.path.exists(f"{folder}/{file}") for file in workloads.REVIEWS)):
        return None
    return f"set UNROLL_DATA_DIR to a folder with {workloads.REVIEWS[0]}"


def loading(name, threads, options):
    result = new_result(name, threads)
    side = Side("unroll", [BUILT / "loading", name])
    take_turns([side], options.rounds, options.slice)
    row = side.row()
    if "failed" not in row:
        row["rows_per_second"] = row["rows"] / row["min_us"] * 1e6
        row["mb_per_second"] = row["megabytes"] / row["min_us"] * 1e6
    result["sides"] = [row]
    return result


def product(name, threads, options):
    sizes = workloads.PRODUCTS[name]
    result, rest = new_result(name, threads), rivals.openblas(*sizes)
    program = [BUILT / "product", *sizes]
    if options.check:
        check(result, ([*program, "check"],), checked(rest))
    machine = fma_side(1)
    sides = [Side("unroll", program), *sides_of(rest)]
    take_turns([*sides, machine], options.rounds, min(options.slice, 60))
    result["sides"] = [side.row() for side in sides]
    for row in worked(result["sides"]):
        row["gflops"] = 2 * math.prod(sizes) / row["min_us"] / 1e3
        if machine.best():
            row["share_of_peak"] = row["gflops"] / machine.best()
    against_best(result, result["sides"][0], result["sides"][1:])
    return result


KINDS = [(workloads.MASKED, masks), (workloads.LONG, long), (workloads.SCAN, scan), (workloads.SCALED, scaled),
         (workloads.STEPS, step), (workloads.BATCHES, batch),
         (workloads.COLD, cold), (workloads.LOADING, loading), (workloads.PRODUCTS, product)]


def measure(name, threads, options):
    for table, how in KINDS:
        if name in table:
            return how(name, threads, options)
    return training(name, threads, options)
