"""Programs that are measured in turns: each stays alive and warm and is asked for a slice of its work."""
import glob
import json
import os
import pathlib
import statistics
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILT = ROOT / "build/bench"


class Side:
    """One program; `measure` asks it for a slice of steps."""

    def __init__(self, name, command, environment=None):
        self.name, self.slices = name, []
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env={**os.environ, **(environment or {})})
        if self.process.stdout.readline().strip() != "ready":
            raise RuntimeError(f"{name} did not start: {' '.join(command)}")

    def measure(self, milliseconds):
        self.process.stdin.write(f"go {milliseconds}\n")
        self.process.stdin.flush()
        self.slices.append(json.loads(self.process.stdout.readline()))

    def close(self):
        self.process.stdin.close()
        self.process.wait()

    def row(self):
        """Microseconds a step: the least, the middle one, and how far the slices' middles lie apart."""
        middles = [part["median"] * 1e6 for part in self.slices]
        row = {"name": self.name, "min_us": min(part["min"] for part in self.slices) * 1e6,
               "median_us": statistics.median(middles),
               "spread": (max(middles) - min(middles)) / statistics.median(middles)}
        if "rss_kb" in self.slices[-1]:
            row["peak_mb"] = self.slices[-1]["rss_kb"] / 1024
        return row

    def best(self):
        return max(part["best"] for part in self.slices)


def take_turns(sides, rounds, milliseconds):
    try:
        for _ in range(rounds):
            for side in sides:
                side.measure(milliseconds)
    finally:
        for side in sides:
            side.close()


def torch_settings(threads):
    """(threads of PyTorch, threads of OpenBLAS): the three worth trying."""
    return sorted({(1, 1), (threads, 1), (threads, threads)})


def torch_sides(script, workload, threads):
    openmp = glob.glob("/usr/lib/*/openblas-openmp")
    for torch_threads, blas_threads in torch_settings(threads):
        environment = {"OPENBLAS_NUM_THREADS": str(blas_threads),
                       "OMP_NUM_THREADS": str(max(torch_threads, blas_threads))}
        if openmp:
            environment["LD_LIBRARY_PATH"] = openmp[0]
        command = ["/usr/bin/python3", str(ROOT / "bench" / script), workload, str(torch_threads)]
        yield Side(f"PyTorch ({torch_threads}, {blas_threads})", command, environment)


def have_torch():
    probe = ["/usr/bin/python3", "-c", "import torch; print(torch.__version__)"]
    found = subprocess.run(probe, capture_output=True, text=True, check=False)
    return found.stdout.strip() if found.returncode == 0 else None


def fma_side(threads):
    return Side("machine", [str(BUILT / "machine"), "fma", str(threads)])


def read_side(size):
    return Side("machine", [str(BUILT / "machine"), "read", str(size)])
