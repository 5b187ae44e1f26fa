"""The other side of bench/step.cpp in PyTorch: one step at batch 1, and a process that predicts once.

  python3 bench/peers/torch_step.py LAYER THREADS        a call per step, states carried by the caller
  python3 bench/peers/torch_step.py check LAYER
  python3 bench/peers/torch_step.py save PATH
  python3 bench/peers/torch_step.py cold PATH

Of the two ways to write a step, the layer called with a sequence of one and the cell, the quicker counts.
"""
import json
import sys
import time

import torch

import common

LAYERS = {"rnn50": ("RNN", 1, 50), "gru64": ("GRU", 64, 64), "lstm64": ("LSTM", 64, 64),
          "lstm512": ("LSTM", 512, 512)}


def fill(layer, kind, features, units):
    """Keras's weights: the same gates, GRU's in another order."""
    gates = {"RNN": (0,), "GRU": (1, 0, 2), "LSTM": (0, 1, 2, 3)}[kind]

    def take(rows, k):
        values = torch.tensor(common.weight(rows * len(gates) * units, k)).reshape(rows, -1).t().split(units)
        return torch.cat([values[i] for i in gates])

    w, u, b, c = layer.parameters()
    w.copy_(take(features, 0))
    u.copy_(take(units, 1))
    bias = take(2 if kind == "GRU" else 1, 2)
    b.copy_(bias[:, 0])
    c.zero_()
    if kind == "GRU":
        c.copy_(bias[:, 1])


def of_layer(kind, features, units):
    layer, x, state = getattr(torch.nn, kind)(features, units), torch.full((1, 1, features), 0.3), None
    fill(layer, kind, features, units)

    def step():
        nonlocal state
        y, state = layer(x, state)
        return y[0, 0]
    return step


def of_cell(kind, features, units):
    cell, x, state = getattr(torch.nn, f"{kind}Cell")(features, units), torch.full((1, features), 0.3), None
    fill(cell, kind, features, units)

    def step():
        nonlocal state
        state = cell(x, state)
        return (state[0] if kind == "LSTM" else state)[0]
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
    with torch.inference_mode():
        if first == "cold":
            torch.load(second)(torch.zeros(1, 20, 64))
            print(json.dumps({"rss_kb": common.peak_kilobytes()}))
            return
        if first == "check":
            values = [[step() for _ in range(3)][-1] for step in
                      (make(*LAYERS[second]) for make in (of_layer, of_cell))]
            assert torch.allclose(*values, atol=1e-6)
            common.print_values(values[0].tolist())
            return
        torch.set_num_threads(int(second))
        ways = [make(*LAYERS[first]) for make in (of_layer, of_cell)]
        for step in ways:
            window(step, 50)
        print("ready", flush=True)
        for line in sys.stdin:
            low, median, count = measure(ways, float(line.split()[1]))
            print(json.dumps({"min": low, "median": median, "steps": count,
                              "rss_kb": common.peak_kilobytes()}), flush=True)


main()
