"""Results as text, and as bench/RESULTS.md."""
import datetime
import os
import platform
import subprocess

import workloads
from sides import ROOT

# Added to a row where it is known: (key, how it is written).
EXTRAS = [("share_of_full", "{:.0%} of full"), ("share_of_peak", "{:.0%} of FMA peak"),
          ("share_of_bandwidth", "{:.0%} of cache bandwidth"), ("times_float32", "{:.1f} x float32"),
          ("peak_mb", "{:.0f} MB")]


def microseconds(value):
    return f"{value:.3f}" if value < 10 else f"{value:.1f}"


def extras(row):
    return [form.format(row[key]) for key, form in EXTRAS if key in row]


def verdict(result):
    if "ratio_min" not in result:
        return ""
    return (f"{result['ratio_min']:.1f} times as fast, minimum against minimum "
            f"({result['ratio_median']:.1f}, median against median; peer: {result['best_peer']})")


def text(result):
    lines = [f"{result['workload']}: {workloads.description(result['workload'])}; "
             f"{result['threads']} thread(s)"]
    for row in result["sides"]:
        lines.append(f"  {row['name']:<18} min {microseconds(row['min_us']):>10} us   median "
                     f"{microseconds(row['median_us']):>10} us   +-{row['spread'] / 2:4.0%}   "
                     f"{', '.join(extras(row))}")
    if verdict(result):
        lines.append(f"  unroll is {verdict(result)}")
    return "\n".join(lines)


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"


def machine():
    return f"{processor()}, {len(os.sched_getaffinity(0))} processors, {platform.machine()}"


def markdown(results, torch, missing):
    version = subprocess.run([str(ROOT / "build/unroll"), "--version"], capture_output=True, text=True,
                             check=False).stdout.split("\n")[0]
    lines = ["# Results of `./run bench`", "",
             "Written by the command; minimum and median of all turns, peers in the same run.", "",
             f"- date: {datetime.date.today().isoformat()}",
             f"- machine: {machine()}; load average when written {os.getloadavg()[1]:.1f}",
             f"- {version or 'unroll'}; PyTorch {torch or 'not installed'}",
             f"- peers not measured here: {', '.join(missing)}"]
    left_out = [name for name in workloads.names() if name not in {r["workload"] for r in results}]
    if left_out:
        lines.append(f"- workloads not in this run: {', '.join(left_out)}")
    lines.append("")
    for result in results:
        lines += [f"## {result['workload']}, {result['threads']} thread(s)", "",
                  workloads.description(result["workload"]), "",
                  "| side | min, us | median, us | |", "| --- | ---: | ---: | --- |"]
        for row in result["sides"]:
            lines.append(f"| {row['name']} | {microseconds(row['min_us'])} | "
                         f"{microseconds(row['median_us'])} | {', '.join(extras(row))} |")
        if verdict(result):
            lines += ["", f"unroll is {verdict(result)}."]
        lines.append("")
    return "\n".join(lines)
