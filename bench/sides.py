"""Programs that are measured in turns: each stays alive and warm and is asked for a slice of its work."""
import json
import os
import pathlib
import selectors
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILT = ROOT / "build/bench"


def said(command):
    """What a program prints; "" where it fails or is not there."""
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return found.stdout.strip() if found.returncode == 0 else ""


class SideError(Exception):
    """A program died, said something else than it should, or took too long."""


class Side:
    """One program; `measure` asks it for a slice of steps. One that fails keeps the reason, and is asked no more."""

    def __init__(self, name, command, environment=None, patience=120):
        self.name, self.slices, self.failed = name, [], None
        self.patience, self.pending = patience, b""
        self.complaints = tempfile.TemporaryFile()
        try:
            self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=self.complaints,
                                            env={**os.environ, **(environment or {})})
        except OSError as error:
            self.process, self.failed = None, f"does not start: {error.strerror}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def read_line(self, seconds):
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while b"\n" not in self.pending:
                if not selector.select(max(0, deadline - time.monotonic())):
                    raise SideError(f"no answer within {seconds:.0f} s")
                part = os.read(self.process.stdout.fileno(), 1 << 16)
                if not part:
                    raise SideError(self.last_words())
                self.pending += part
        line, self.pending = self.pending.split(b"\n", 1)
        return line.decode(errors="replace")

    def last_words(self):
        status = self.process.wait()
        self.complaints.seek(0)
        said = self.complaints.read().decode(errors="replace").strip().splitlines()
        return f"ended with status {status}" + (f": {said[-1][:200]}" if said else "")

    def expect_ready(self):
        """Reads up to the line "ready": what comes before it is the program's own talk."""
        while self.read_line(self.patience).strip() != "ready":
            pass

    def attempt(self, act):
        """Runs `act` unless the program has failed before; None where it fails."""
        if self.failed is None:
            try:
                return act()
            except (SideError, OSError, ValueError, KeyError) as error:
                self.failed = str(error) or type(error).__name__
                self.kill()
        return None

    def start(self):
        self.attempt(self.expect_ready)

    def measure(self, milliseconds):
        def ask():
            self.process.stdin.write(b"go %d\n" % milliseconds)
            self.process.stdin.flush()
            self.slices.append(json.loads(self.read_line(self.patience + milliseconds / 1e3)))
        self.attempt(ask)

    def values(self):
        """What a program that was started to check itself has found."""
        def read():
            while not (line := self.read_line(self.patience)).startswith("{"):
                pass
            return [float(value) for value in json.loads(line)["values"]]
        return self.attempt(read)

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()

    def close(self):
        if self.process is not None:
            try:
                self.process.stdin.close()
                self.process.wait(timeout=10)
            except (OSError, subprocess.TimeoutExpired):
                self.kill()
                self.process.wait()
            self.process.stdout.close()
        self.complaints.close()

    def row(self):
        return row_of(self.name, self.slices, self.failed)

    def best(self):
        """Of a program that measures the machine: the greatest rate it has seen; None where it failed."""
        return max((part["best"] for part in self.slices), default=None)


def row_of(name, slices, failed):
    """Microseconds a step: the least, the middle one, and how far the slices' middles lie apart."""
    if failed is not None:
        return {"name": name, "failed": failed}
    middles = [part["median"] * 1e6 for part in slices]
    row = {"name": name, "min_us": min(part["min"] for part in slices) * 1e6,
           "median_us": statistics.median(middles),
           "spread": (max(middles) - min(middles)) / statistics.median(middles)}
    for key, value in slices[-1].items():
        if key not in ("min", "median", "steps", "rss_kb"):
            row[key] = value
    if "rss_kb" in slices[-1]:
        row["peak_mb"] = slices[-1]["rss_kb"] / 1024
    return row


def hopeless(side, sides):
    """Whether another setting of the same peer is so much quicker that this one will not be its best."""
    def least(one):
        return min((part.get("min", 0) for part in one.slices), default=0)
    kind = side.name.split(" (")[0]
    rivals = [least(one) for one in sides if one.slices and one.name.split(" (")[0] == kind and " (" in one.name]
    return bool(rivals) and least(side) > 3 * min(rivals)


def take_turns(sides, rounds, milliseconds):
    """One after the other, round after round, so that a neighbour's load falls on all alike."""
    try:
        for side in sides:
            side.start()
        for _ in range(rounds):
            for side in sides:
                if not hopeless(side, sides):
                    side.measure(milliseconds)
    finally:
        for side in sides:
            side.close()


def worked(rows):
    return [row for row in rows if "failed" not in row]


def values_of(name, command, environment=None):
    """(values, None) of a program that checks itself, or (None, why not)."""
    with Side(name, command, environment) as side:
        return side.values(), side.failed


def fma_side(threads):
    return Side("machine", [BUILT / "machine", "fma", threads])


def read_side(size):
    return Side("machine", [BUILT / "machine", "read", size])
