"""The lines to hold: least ratios against peers, minimum against minimum, in one run.

A line for more threads than the machine has is named as not measured.
"""

# (workload, threads, peer, least ratio). Threads 0: measured with all there are.
RATIOS = [
    ("p1", 1, "PyTorch", 10), ("p1", 2, "PyTorch", 16), ("p1", 4, "PyTorch", 25),
    ("p4", 1, "PyTorch", 14), ("p4", 4, "PyTorch", 20),
    *[(name, threads, "PyTorch", least) for name in ("gru64", "lstm64") for threads, least in ((2, 6), (4, 8))],
    *[(name, threads, peer, least) for name in ("char1", "char2") for threads, peer, least in
      ((2, "PyTorch", 1.8), (2, "oneDNN", 1.2), (4, "PyTorch", 2.2), (4, "oneDNN", 1.25))],
    *[(name, 2, "PyTorch", 1.8) for name in ("rnn256", "gru256", "lstm256")],
    ("rnn256", 4, "PyTorch", 2.5), ("gru256", 4, "PyTorch", 2.5), ("lstm256", 4, "PyTorch", 2.3),
    *[(name, 0, peer, least) for name, torch, onnx in
      (("rnn50", 80, 30), ("gru64step", 25, 8), ("lstm64step", 20, 6), ("lstm512step", 3, 1))
      for peer, least in (("PyTorch", torch), ("ONNX Runtime from C++, as recorded", onnx))],
    *[(f"{layer}{units}_b256", 4, "ONNX Runtime", least) for layer, small, large in
      (("simple_rnn", 8, 5), ("gru", 3, 2), ("lstm", 1.3, 1.1)) for units, least in ((64, small), (256, large))],
    ("long1", 2, "GRU", 4), ("long1", 4, "GRU", 8), ("long16", 2, "GRU", 2.5),
    ("cold", 0, "ONNX Runtime", 3), ("cold", 0, "PyTorch", 100),
]


def find(results, workload, threads):
    for result in results:
        if result["workload"] == workload and threads in (0, result["threads"]):
            return result
    return None


def own(result):
    """unroll's row, or None where it failed or was not measured."""
    row = result["sides"][0] if result and result["sides"] else {"failed": ""}
    return None if "failed" in row else row


def line(what, least, found, form="{:.1f}x", at_most=False):
    """(what, wanted, found, verdict)."""
    wanted = ("at most " if at_most else "") + form.format(least)
    if found is None:
        return what, wanted, "not measured", ""
    holds = found <= least if at_most else found >= least
    return what, wanted, form.format(found), "holds" if holds else "DOES NOT HOLD"


def ratio_lines(results):
    for workload, threads, peer, least in RATIOS:
        result = find(results, workload, threads)
        ratio = result["ratios"].get(peer) if result else None
        count = f", {threads} thread(s)" if threads else ""
        yield line(f"{workload}{count} against {peer}", least, ratio[0] if ratio else None)


def other_lines(results):
    def field(workload, threads, key, row=0):
        result = find(results, workload, threads)
        rows = result["sides"] if result else []
        return rows[row].get(key) if len(rows) > row else None

    yield line("p1, 1 thread(s), of FMA peak", 0.65, field("p1", 1, "share_of_peak"), "{:.0%}")
    for threads in (2, 4):
        yield line(f"char1, {threads} thread(s), of FMA peak", 0.55, field("char1", threads, "share_of_peak"), "{:.0%}")
    yield line("lstm512step, int8 against own float32", 3, field("lstm512step", 0, "times_float32", 2))
    for name in ("rnn50", "gru64step", "lstm64step", "lstm512step"):
        share = field(name, 0, "share_of_bandwidth")
        yield line(f"{name}, times the cache's own time", 1.3, 1 / share if share else None, "{:.2f}", at_most=True)
    yield line("p1, peak memory", 40, field("p1", 1, "peak_mb"), "{:.0f} MB", at_most=True)
    for name in ("p1", "char1"):
        for threads, least in ((2, 1.7), (4, 2.6)):
            one, more = field(name, 1, "min_us"), field(name, threads, "min_us")
            yield line(f"{name}, {threads} threads against 1", least, one / more if one and more else None, "{:.2f}x")
    for name in ("time", "batch", "data"):
        result = find(results, name, 0)
        shares = [row["of_linear"] for row in (result["sides"] if result else []) if "of_linear" in row]
        yield line(f"{name}, 64 x against 64 times 1 x", 1.1, shares[-1] if len(shares) == 4 else None, "{:.2f}",
                   at_most=True)
    result = find(results, "data", 0)
    beside = [row["mb_beside_data"] for row in (result["sides"] if result else []) if "mb_beside_data" in row]
    yield line("data, memory beside the data, 64 x against 1 x", 1.1, beside[-1] / beside[0] if beside else None,
               "{:.2f}", at_most=True)


def lines(results):
    return [*ratio_lines(results), *other_lines(results)]
