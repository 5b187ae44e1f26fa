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

# Long sequences through a layer without products in its recurrence, and through a GRU: both are unroll.
LONG = {
    "long1": "W8 MinGRU(256) > Dense(1) beside GRU(256) > Dense(1); batch 1, 16,384 steps of 256",
    "long16": "W8 MinGRU(256) > Dense(1) beside GRU(256) > Dense(1); batch 16, 16,384 steps of 256",
}
SCAN = {"scan": "W8 the bare recurrence h = a h + b, 256 numbers wide, 1 thread"}

# name: (what, factors, what one of them is).
SCALED = {
    "time": ("W7 a training step of GRU(64), batch 64, by the steps of a sequence", (1, 4, 16, 64), (25, "steps")),
    "batch": ("W7 a training step of GRU(64), 50 steps, by the rows of a batch", (1, 4, 16, 64), (32, "rows")),
    "units": ("W7 a training step of GRU(units), batch 64, 50 steps, by units", (1, 4, 16), (16, "units")),
    "data": ("W7 an epoch of W1's model over the windows of a series, by its rows", (1, 4, 16, 64), (1000, "rows")),
}

# W6, one step at batch 1: (what, numbers in the weights' matrices, microseconds of ONNX Runtime called from C++,
# which KERNELS.md's machine took: the bar that is not measured here).
STEPS = {
    "rnn50": ("W6 one step of SimpleRNN(50) on 1 number, batch 1", 51 * 50, 5),
    "gru64step": ("W6 one step of GRU(64) on 64 numbers, batch 1", 128 * 192, 10),
    "lstm64step": ("W6 one step of LSTM(64) on 64 numbers, batch 1", 128 * 256, 12),
    "lstm512step": ("W6 one step of LSTM(512) on 512 numbers, batch 1", 1024 * 2048, 114),
}
BATCHES = {f"{layer}{units}_b256": (f"W6 {title}({units}) over 256 sequences of 100 steps of 32 numbers, last step",
                                    layer, units)
           for layer, title in (("simple_rnn", "SimpleRNN"), ("gru", "GRU"), ("lstm", "LSTM"))
           for units in (64, 256)}
COLD = {"cold": "W6 a process that loads an LSTM(64), predicts once and ends"}

REVIEWS = ("aclImdb_v1.tar.gz", "aclImdb.tar.gz", "aclImdb")
LOADING = {
    "csv": "20 MB of dates and prices, from a file in the page cache",
    "tokenize": "Tokenizer, fit and encode, made-up English",
    "windows": "a million windows of 50 rows, cut and gathered in batches of 1,000",
    "reviews": "IMDB's 50,000 reviews, from the archive in $UNROLL_DATA_DIR",
}

# M, N, K.
PRODUCTS = {f"product_{m}_{n}_{k}": (m, n, k) for m, n, k in [
    (64, 16, 16), (8, 56, 52), (32, 56, 52), (32, 50, 50), (32, 192, 64), (64, 256, 64), (64, 768, 256),
    (16, 2048, 512), (64, 2048, 512), (64, 512, 2048), (1600, 56, 2), (8192, 2048, 128), (1024, 1024, 1024)]}

BYTES_OF = {"float32": 4, "bfloat16": 2, "int8": 1}
GATES = {"simple_rnn": 1, "gru": 3, "lstm": 4}


def operations(name):
    """Of the products of one training step: forward, and twice as many back."""
    _, batch, time, features, units, gates, layers = TRAINING[name]
    of_step = gates * units * (features + units)
    for _ in range(layers - 1):
        of_step += gates * units * 2 * units
    if name.startswith("char"):
        of_step += units * 65
    return 2 * 3 * batch * time * of_step


def operations_of_batch(name):
    _, layer, units = BATCHES[name]
    return 2 * 256 * 100 * GATES[layer] * units * (32 + units)


def description(name):
    for table in (TRAINING, STEPS, SCALED, BATCHES):
        if name in table:
            return table[name][0]
    if name in PRODUCTS:
        return "({0}, {2}) x ({2}, {1}), 1 thread; unroll's second factor is packed before".format(*PRODUCTS[name])
    return {**MASKED, **LONG, **SCAN, **COLD, **LOADING}[name]


def names():
    return [*TRAINING, *MASKED, *LONG, *SCAN, *SCALED, *STEPS, *BATCHES, *COLD, *LOADING, *PRODUCTS]


# Measured once, with all threads (or the only one that they use).
SINGLE = {*SCAN, *SCALED, *STEPS, *BATCHES, *COLD, *LOADING, *PRODUCTS}
