"""What the peers written in Python share: the numbers of bench/side.h, and how a program is asked."""
import json
import math
import sys
import time


def stream(count, seed):
    """`count` whole numbers of 24 bits that depend on nothing but their place and the seed."""
    state, found = seed, []
    for _ in range(count):
        state = (state * 1664525 + 1013904223) & 0xffffffff
        found.append(state >> 8)
    return found


def numbers(count, seed=1):
    return [value / 16777216 for value in stream(count, seed)]


def weight(count, k):
    """Weight number k of a model, in Keras's order and layout."""
    return [0.3 * (value - 0.5) for value in numbers(count, 100 + k)]


def ids(count, vocabulary):
    return [int((value / 16777216) ** 3 * vocabulary) for value in stream(count, 7)]


def length(values):
    return math.sqrt(sum(value * value for value in values))


def warm_up(step):
    begin = time.perf_counter()
    for _ in range(20):
        step()
        if time.perf_counter() - begin > 1:  # steps of a second each need no more
            break


def peak_kilobytes():
    with open("/proc/self/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))


def answer(step):
    """Answers "go MILLISECONDS" lines until standard input ends; `step` returns its seconds."""
    print("ready", flush=True)
    for line in sys.stdin:
        limit, times, begin = float(line.split()[1]) / 1e3, [], time.perf_counter()
        while not times or time.perf_counter() - begin < limit:
            times.append(step())
        times.sort()
        print(json.dumps({"min": times[0], "median": times[len(times) // 2], "steps": len(times),
                          "rss_kb": peak_kilobytes()}), flush=True)


def print_values(values):
    print(json.dumps({"values": [float(value) for value in values]}), flush=True)
