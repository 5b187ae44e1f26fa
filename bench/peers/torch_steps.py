"""The training steps of bench/steps.cpp in PyTorch.

  python3 bench/peers/torch_steps.py WORKLOAD THREADS [check]
"""
import sys
import time

import torch

import common


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


def numbers(*shape):
    return torch.tensor(common.numbers(torch.Size(shape).numel())).reshape(shape)


def ids(rows, time_steps, vocabulary):
    return torch.tensor(common.ids(rows * time_steps, vocabulary)).reshape(rows, time_steps)


def workload(name):
    nn = torch.nn
    if name == "p1":
        return (Last(nn.RNN(1, 50, nonlinearity="relu", batch_first=True), 50),
                numbers(32, 50, 1), numbers(32, 1), nn.MSELoss())
    if name == "p4":
        model = Last(nn.RNN(32, 16, batch_first=True), 16, True, nn.Embedding(5000, 32))
        return (model, ids(64, 100, 5000), (torch.arange(64) % 2).float().reshape(64, 1), nn.BCELoss())
    if name in ("gru64", "lstm64"):
        kind = nn.GRU if name == "gru64" else nn.LSTM
        return (Last(kind(32, 64, batch_first=True), 64, False, nn.Embedding(5000, 32)),
                ids(64, 200, 5000), numbers(64, 1), nn.MSELoss())
    if name.startswith("char"):
        words = ids(64, 128, 65)
        return Characters(int(name[4:])), words, words.flatten(), nn.CrossEntropyLoss()
    if name.removesuffix("few").endswith(("256", "512")):
        kind = {"rnn": nn.RNN, "gru": nn.GRU, "lst": nn.LSTM}[name[:3]]
        units, batch = 512 if "512" in name else 256, 8 if name.endswith("few") else 64
        return (Last(kind(256, units, batch_first=True), units), numbers(batch, 50, 256),
                numbers(batch, 1), nn.MSELoss())
    sys.exit(f"torch_steps: no such workload: {name}")


# Keras has a GRU's update gate first, PyTorch its reset gate.
GATES = {"GRU": (1, 0, 2)}


def turned(values, kind, units):
    """Keras's kernel (inputs, gates x units) as PyTorch's (gates x units, inputs)."""
    gates = values.t().split(units)
    return torch.cat([gates[i] for i in GATES.get(kind, range(len(gates)))])


class Weights:
    """Gives a model its weights in Keras's order, and reads the gradients' lengths in it."""

    def __init__(self):
        self.k, self.read = 0, []

    def take(self, *shape):
        values = torch.tensor(common.weight(torch.Size(shape).numel(), self.k)).reshape(shape)
        self.k += 1
        return values

    def embedding(self, layer):
        layer.weight.copy_(self.take(*layer.weight.shape))
        self.read.append([layer.weight])

    def recurrent(self, layer, number):
        kind, units = layer.mode, layer.hidden_size
        w, u, b, c = (getattr(layer, f"{name}_l{number}")
                      for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
        for weight in (w, u):
            weight.copy_(turned(self.take(*reversed(weight.shape)), kind, units))
            self.read.append([weight])
        bias = self.take(2, len(b)) if kind == "GRU" else self.take(1, len(b))
        b.copy_(turned(bias[:1], kind, units)[:, 0])
        c.zero_()
        if kind == "GRU":
            c.copy_(turned(bias[1:], kind, units)[:, 0])
        # The second bias of the others is one that Keras does not have.
        self.read.append([b, c] if kind == "GRU" else [b])

    def dense(self, layer):
        layer.weight.copy_(self.take(*reversed(layer.weight.shape)).t())
        layer.bias.copy_(self.take(*layer.bias.shape))
        self.read += [[layer.weight], [layer.bias]]


def check(model, x, y, loss):
    weights = Weights()
    with torch.no_grad():
        if model.embedding is not None:
            weights.embedding(model.embedding)
        for number in range(model.recurrent.num_layers):
            weights.recurrent(model.recurrent, number)
        weights.dense(model.dense)
    found = loss(model(x), y)
    found.backward()
    lengths = [torch.cat([part.grad.flatten() for part in parts]).double().norm().item()
               for parts in weights.read]
    common.print_values([found.item(), *lengths])


def main():
    name, threads = sys.argv[1], int(sys.argv[2])
    torch.set_num_threads(threads)
    torch.manual_seed(7)
    model, x, y, loss = workload(name)
    if sys.argv[3:] == ["check"]:
        return check(model, x, y, loss)
    adam = torch.optim.Adam(model.parameters())

    def step():
        begin = time.perf_counter()
        adam.zero_grad(set_to_none=True)
        loss(model(x), y).backward()
        adam.step()
        return time.perf_counter() - begin

    common.warm_up(step)
    return common.answer(step)


main()
