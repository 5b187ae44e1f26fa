"""Results as text, and as bench/RESULTS.md."""
import os
import platform
import re

import goals
import workloads
from sides import ROOT, said

# Added to a row where it is known: (key, how it is written).
EXTRAS = [("share_of_full", "{:.0%} of full"), ("of_linear", "{:.2f} of linear"), ("gflops", "{:.0f} GFLOP/s"),
          ("share_of_peak", "{:.0%} of FMA peak"), ("share_of_bandwidth", "{:.0%} of cache bandwidth"),
          ("times_float32", "{:.1f} x float32"), ("rows_per_second", "{:,.0f} rows/s"),
          ("giga_per_second", "{:.2f} G numbers/s"), ("mb_per_second", "{:,.0f} MB/s"),
          ("mb_beside_data", "{:.1f} MB beside the data")]


def microseconds(value):
    return f"{value:.3f}" if value < 10 else f"{value:,.1f}"


def extras(row):
    return ", ".join(form.format(row[key]) for key, form in EXTRAS if row.get(key) is not None)


def verdict(result):
    return "; ".join(f"{ratio:.1f} times as fast as {peer} (medians: {of_medians:.1f})"
                     for peer, (ratio, of_medians) in result["ratios"].items())


def checks(result):
    return "; ".join(f"{peer} {found}" for peer, found in result["checks"].items())


def title(result):
    """With the threads where there is a choice."""
    name = result["workload"]
    alone = name in workloads.SINGLE and name not in workloads.BATCHES and name not in workloads.SCALED
    return name if alone else f"{name}, {result['threads']} thread(s)"


def text(result):
    lines = [f"{title(result)}: {workloads.description(result['workload'])}"]
    for row in result["sides"]:
        if "failed" in row:
            lines.append(f"  {row['name']:<20} FAILED: {row['failed']}")
            continue
        memory = f"{row['peak_mb']:.0f} MB" if "peak_mb" in row else ""
        node = f"node's own {microseconds(row['node_us'])} us" if "node_us" in row else ""
        lines.append(f"  {row['name']:<20} min {microseconds(row['min_us']):>11} us   median "
                     f"{microseconds(row['median_us']):>11} us   +-{row['spread'] / 2:4.0%}   "
                     f"{', '.join(part for part in (extras(row), node, memory) if part)}")
    if verdict(result):
        lines.append(f"  unroll is {verdict(result)}")
    if checks(result):
        lines.append(f"  computed values: {checks(result)}")
    return "\n".join(lines)


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"


def machine():
    return f"{processor()}, {len(os.sched_getaffinity(0))} processors, {platform.machine()}"


def own_version():
    numbers = re.findall(r"define UNROLL_VERSION_\w+ (\d+)", (ROOT / "include/unroll/version.h").read_text())
    commit = said(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"])
    return f"unroll {'.'.join(numbers)}" + (f" ({commit})" if commit else "")


def table(result):
    node = any("node_us" in row for row in result["sides"])
    lines = [f"| side | min, us | median, us | spread | {'node alone, us | ' if node else ''}peak MB | |",
             f"| --- | ---: | ---: | ---: | {'---: | ' if node else ''}---: | --- |"]
    for row in result["sides"]:
        if "failed" in row:
            lines.append(f"| {row['name']} | | | | {'| ' if node else ''}| failed: {row['failed']} |")
            continue
        cells = [row["name"], microseconds(row["min_us"]), microseconds(row["median_us"]), f"{row['spread']:.0%}"]
        if node:
            cells.append(microseconds(row["node_us"]) if "node_us" in row else "")
        cells += [f"{row['peak_mb']:.0f}" if "peak_mb" in row else "", extras(row)]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def section(result):
    lines = [f"## {title(result)}", "",
             workloads.description(result["workload"]), "", *table(result)]
    if verdict(result):
        lines += ["", f"unroll is {verdict(result)}."]
    if checks(result):
        lines += ["", f"Computed values: {checks(result)}."]
    return [*lines, ""]


def lines_to_hold(results, all_of_them):
    lines = ["## Lines to hold", "", "| line | at least | found | |", "| --- | ---: | ---: | --- |"]
    return [*lines, *(f"| {' | '.join(line)} |" for line in goals.lines(results) if all_of_them or line[3]), ""]


def header(found):
    known = [f"{peer} {version}" for peer, version in found["versions"].items() if version]
    lines = [f"- date: {found['date']}; the run took {found['minutes']:.0f} minutes",
             f"- machine: {found['machine']}", f"- {found['version']}; {', '.join(known) or 'no peers'}"]
    if found["missing"]:
        lines.append(f"- not measured here: {', '.join(found['missing'])}")
    return lines


def tables(found):
    return [line for result in found["results"] for line in section(result)]


def markdown(found):
    left_out = [name for name in workloads.names() if name not in {r["workload"] for r in found["results"]}]
    return "\n".join([
        "# Results of `./run bench`", "",
        "Written by the command. Minimum and median of all turns, the spread of the turns' medians; peers in the same "
        "run.", "", *header(found), *([f"- workloads not in this run: {', '.join(left_out)}"] if left_out else []), "",
        *lines_to_hold(found["results"], True), *tables(found)])


def elsewhere(found):
    """A part of its own for a run on another machine: the lines that were measured there."""
    return "\n".join([f"# On {found['machine']}", "", "Added by `./run bench --add`.", "", *header(found), "",
                      *lines_to_hold(found["results"], False), *tables(found)])
