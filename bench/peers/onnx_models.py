"""Writes the models of bench/step.cpp and bench/predict.cpp as ONNX files, with the same weights.

  python3 bench/peers/onnx_models.py FOLDER

Beside each NAME.onnx lies NAME.node.onnx, which takes and gives the same tensors and computes nothing: what a
call costs node itself.
"""
import pathlib
import sys

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

import common

# ONNX's operator, and where its gates stand in Keras's order.
KINDS = {"simple_rnn": ("RNN", (0,)), "gru": ("GRU", (0, 1, 2)), "lstm": ("LSTM", (0, 3, 1, 2))}
STEPS = {"rnn50": ("simple_rnn", 1, 50), "gru64": ("gru", 64, 64), "lstm64": ("lstm", 64, 64),
         "lstm512": ("lstm", 512, 512)}


def weights(kind, features, units):
    """W, R and B, each (1, gates x units, ...)."""
    gates = KINDS[kind][1]

    def turned(rows, k):
        values = numpy.array(common.weight(rows * len(gates) * units, k), numpy.float32)
        parts = numpy.split(values.reshape(rows, -1).T, len(gates))
        return numpy.concatenate([parts[i] for i in gates])

    bias = turned(2 if kind == "gru" else 1, 2).T
    both = numpy.concatenate([bias[0], bias[1] if kind == "gru" else 0 * bias[0]])
    named = {"W": turned(features, 0)[None], "R": turned(units, 1)[None], "B": both[None]}
    return [numpy_helper.from_array(numpy.ascontiguousarray(value), name) for name, value in named.items()]


def tensor(name, *shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def save(path, nodes, inputs, outputs, constants=()):
    graph = helper.make_graph(nodes, "bench", inputs, outputs, list(constants))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def recurrent(kind, units, states, outputs):
    options = {"linear_before_reset": 1} if kind == "gru" else {}
    return helper.make_node(KINDS[kind][0], ["x", "W", "R", "B", *(["", *states] if states else [])],
                            ["", *outputs], hidden_size=units, **options)


def save_step(folder, name):
    kind, features, units = STEPS[name]
    states = ["h", "c"] if kind == "lstm" else ["h"]
    after = [f"next_{state}" for state in states]
    inputs = [tensor("x", 1, 1, features), *(tensor(state, 1, 1, units) for state in states)]
    outputs = [tensor(state, 1, 1, units) for state in after]
    save(folder / f"{name}.onnx", [recurrent(kind, units, states, after)], inputs, outputs,
         weights(kind, features, units))
    same = [helper.make_node("Identity", [a], [b]) for a, b in zip(states, after)]
    save(folder / f"{name}.node.onnx", same, inputs, outputs)


def save_sequence(folder, name, kind, steps, batch, features, units):
    inputs, outputs = [tensor("x", steps, batch, features)], [tensor("next_h", 1, batch, units)]
    save(folder / f"{name}.onnx", [recurrent(kind, units, [], ["next_h"])], inputs, outputs,
         weights(kind, features, units))
    zeros = numpy_helper.from_array(numpy.zeros((1, batch, units), numpy.float32), "zeros")
    save(folder / f"{name}.node.onnx", [helper.make_node("Identity", ["zeros"], ["next_h"])], inputs, outputs,
         [zeros])


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in STEPS:
        save_step(folder, name)
    for kind in KINDS:
        for units in (64, 256):
            save_sequence(folder, f"{kind}{units}_b256", kind, 100, 256, 32, units)
    save_sequence(folder, "cold", "lstm", 20, 1, 64, 64)


main()
