"""The same training steps in PyTorch; the other side of bench/run's comparison.

  python3 bench/torch_steps.py WORKLOAD THREADS

The protocol is that of bench/steps.cpp: "go MILLISECONDS" in, a line of JSON out.
"""
import json
import resource
import sys
import time

import torch


class Last(torch.nn.Module):
    """A recurrent layer whose last step feeds a Dense layer."""

    def __init__(self, recurrent, units, sigmoid=False, embedding=None):
        super().__init__()
        self.embedding, self.recurrent = embedding, recurrent
        self.dense = torch.nn.Linear(units, 1)
        self.sigmoid = sigmoid

    def forward(self, x):
        h = x if self.embedding is None else self.embedding(x)
        y = self.dense(self.recurrent(h)[0][:, -1, :])
        return torch.sigmoid(y) if self.sigmoid else y


class Characters(torch.nn.Module):
    """Says the next character at every step."""

    def __init__(self, layers):
        super().__init__()
        self.embedding = torch.nn.Embedding(65, 64)
        self.recurrent = torch.nn.LSTM(64, 512, layers, batch_first=True)
        self.dense = torch.nn.Linear(512, 65)

    def forward(self, x):
        return self.dense(self.recurrent(self.embedding(x))[0]).flatten(0, 1)


def workload(name):
    nn = torch.nn
    if name == "p1":
        return (Last(nn.RNN(1, 50, nonlinearity="relu", batch_first=True), 50),
                torch.rand(32, 50, 1), torch.rand(32, 1), nn.MSELoss())
    if name == "p4":
        ids = (torch.rand(64, 100) ** 3 * 5000).long()
        model = Last(nn.RNN(32, 16, batch_first=True), 16, True, nn.Embedding(5000, 32))
        return model, ids, (torch.arange(64) % 2).float().reshape(64, 1), nn.BCELoss()
    if name in ("gru64", "lstm64"):
        kind = nn.GRU if name == "gru64" else nn.LSTM
        ids = (torch.rand(64, 200) ** 3 * 5000).long()
        return (Last(kind(32, 64, batch_first=True), 64, False, nn.Embedding(5000, 32)), ids,
                torch.rand(64, 1), nn.MSELoss())
    if name.startswith("char"):
        ids = (torch.rand(64, 128) ** 3 * 65).long()
        return Characters(int(name[4:])), ids, ids.flatten(), nn.CrossEntropyLoss()
    if name.removesuffix("few").endswith(("256", "512")):
        kind = {"rnn": nn.RNN, "gru": nn.GRU, "lst": nn.LSTM}[name[:3]]
        units, batch = 512 if "512" in name else 256, 8 if name.endswith("few") else 64
        return (Last(kind(256, units, batch_first=True), units), torch.rand(batch, 50, 256),
                torch.rand(batch, 1), nn.MSELoss())
    sys.exit(f"torch_steps: no such workload: {name}")


def main():
    name, threads = sys.argv[1], int(sys.argv[2])
    torch.set_num_threads(threads)
    torch.manual_seed(7)
    model, x, y, loss = workload(name)
    adam = torch.optim.Adam(model.parameters())

    def step():
        adam.zero_grad(set_to_none=True)
        loss(model(x), y).backward()
        adam.step()

    started = time.perf_counter()
    for _ in range(20):
        step()
        if time.perf_counter() - started > 1:  # steps of a second each need no more to be warm
            break
    print("ready", flush=True)
    for line in sys.stdin:
        limit = float(line.split()[1]) / 1e3
        times, begin = [], time.perf_counter()
        now = begin
        while now - begin < limit:
            step()
            after = time.perf_counter()
            times.append(after - now)
            now = after
        times.sort()
        print(json.dumps({"min": times[0], "median": times[len(times) // 2], "steps": len(times),
                          "rss_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}),
              flush=True)


main()
