"""What is measured, and how many floating-point operations the products of one step take."""

# name: (what, batch, time, features of a step, units, gates, layers). W1 to W5: a whole training step
# (gather, forward, loss, backward, reduction, Adam).
TRAINING = {
    "p1": ("W1 SimpleRNN(50, relu) > Dense(1); batch 32, 50 steps of 1", 32, 50, 1, 50, 1, 1),
    "p4": ("W2 Embedding(5000, 32) > SimpleRNN(16) > Dense(1); batch 64, 100 steps", 64, 100, 32, 16, 1, 1),
    "gru64": ("W3 Embedding(5000, 32) > GRU(64) > Dense(1); batch 64, 200 steps", 64, 200, 32, 64, 3, 1),
    "lstm64": ("W3 Embedding(5000, 32) > LSTM(64) > Dense(1); batch 64, 200 steps", 64, 200, 32, 64, 4, 1),
    "char1": ("W4 Embedding(65, 64) > LSTM(512) > Dense(65) at every step; batch 64, 128 steps",
              64, 128, 64, 512, 4, 1),
    "char2": ("W4 Embedding(65, 64) > 2 x LSTM(512) > Dense(65) at every step; batch 64, 128 steps",
              64, 128, 64, 512, 4, 2),
    "rnn256": ("W5 SimpleRNN(256) > Dense(1); batch 64, 50 steps of 256", 64, 50, 256, 256, 1, 1),
    "gru256": ("W5 GRU(256) > Dense(1); batch 64, 50 steps of 256", 64, 50, 256, 256, 3, 1),
    "lstm256": ("W5 LSTM(256) > Dense(1); batch 64, 50 steps of 256", 64, 50, 256, 256, 4, 1),
    "gru256few": ("few rows: GRU(256) > Dense(1); batch 8, 50 steps of 256", 8, 50, 256, 256, 3, 1),
    "lstm512few": ("few rows: LSTM(512) > Dense(1); batch 8, 50 steps of 256", 8, 50, 256, 512, 4, 1),
}

# A batch whose rows are padded, beside a full one of the same shape: both sides are unroll.
MASKED = {
    "masks64": "W7 Embedding(5000, 32, mask_zero) > LSTM(64) > Dense(1); batch 64, lengths uniform in 1..100",
    "masks256": "W7 Embedding(5000, 32, mask_zero) > GRU(256) > Dense(1); batch 64, lengths uniform in 1..100",
}

# W6, one step at batch 1: (what, numbers in the weights' matrices).
STEPS = {
    "rnn50": ("W6 one step of SimpleRNN(50) on 1 number, batch 1", 51 * 50),
    "gru64step": ("W6 one step of GRU(64) on 64 numbers, batch 1", 128 * 192),
    "lstm64step": ("W6 one step of LSTM(64) on 64 numbers, batch 1", 128 * 256),
    "lstm512step": ("W6 one step of LSTM(512) on 512 numbers, batch 1", 1024 * 2048),
}
COLD = {"cold": "W6 a process that loads an LSTM(64), predicts once and ends"}

BYTES_OF = {"float32": 4, "bfloat16": 2, "int8": 1}


def operations(name):
    """Of the products of one training step: forward, and twice as many back."""
    _, batch, time, features, units, gates, layers = TRAINING[name]
    of_step = gates * units * (features + units)
    for _ in range(layers - 1):
        of_step += gates * units * 2 * units
    if name.startswith("char"):
        of_step += units * 65
    return 2 * 3 * batch * time * of_step


def description(name):
    for table in (TRAINING, STEPS):
        if name in table:
            return table[name][0]
    return {**MASKED, **COLD}[name]


def names():
    return [*TRAINING, *MASKED, *STEPS, *COLD]
