"""The other side of bench/step.cpp in PyTorch: one step at batch 1, and a process that predicts once.

  python3 bench/torch_step.py LAYER THREADS        a call per step, states carried by the caller
  python3 bench/torch_step.py save PATH
  python3 bench/torch_step.py cold PATH

Of the two ways to write a step, the layer called with a sequence of one and the cell, the quicker counts.
"""
import json
import resource
import sys
import time

import torch

LAYERS = {"rnn50": ("RNN", 1, 50), "gru64": ("GRU", 64, 64), "lstm64": ("LSTM", 64, 64),
          "lstm512": ("LSTM", 512, 512)}


def of_layer(kind, features, units):
    layer, x, state = getattr(torch.nn, kind)(features, units), torch.full((1, 1, features), 0.3), None

    def step():
        nonlocal state
        _, state = layer(x, state)
    return step


def of_cell(kind, features, units):
    cell, x, state = getattr(torch.nn, f"{kind}Cell")(features, units), torch.full((1, features), 0.3), None

    def step():
        nonlocal state
        state = cell(x, state)
    return step


def window(step, steps):
    begin = time.perf_counter()
    for _ in range(steps):
        step()
    return (time.perf_counter() - begin) / steps


def measure(ways, milliseconds):
    found = []
    for step in ways:
        times, begin = [], time.perf_counter()
        while (time.perf_counter() - begin) * 1e3 < milliseconds / len(ways):
            times.append(window(step, 10))
        times.sort()
        found.append((times[0], times[len(times) // 2], len(times)))
    return min(found)


def main():
    first, second = sys.argv[1:3]
    if first == "save":
        torch.save(torch.nn.LSTM(64, 64, batch_first=True), second)
        return
    if first == "cold":
        with torch.inference_mode():
            torch.load(second)(torch.zeros(1, 20, 64))
        return
    torch.set_num_threads(int(second))
    with torch.inference_mode():
        ways = [make(*LAYERS[first]) for make in (of_layer, of_cell)]
        for step in ways:
            window(step, 50)
        print("ready", flush=True)
        for line in sys.stdin:
            low, median, count = measure(ways, float(line.split()[1]))
            rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            print(json.dumps({"min": low, "median": median, "steps": count, "rss_kb": rss}), flush=True)


main()
