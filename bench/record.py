"""What a run found, kept: as JSON that another machine can read, and in bench/RESULTS.md.

RESULTS.md is this machine's part, and after it one for each other machine (`# On ...`), which a new run keeps.
"""
import json
import os
import re

import report
from sides import ROOT

RESULTS = ROOT / "bench/RESULTS.md"
# Of one part all files must have the same.
SAME = ("machine", "date", "version")


def save(path, found):
    """As a whole or not at all: a run that is cut off leaves what it had."""
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        json.dump(found, file, indent=1)
    os.replace(f"{path}.new", path)


def parts():
    """This machine's, and the others by their headings."""
    text = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
    own, *others = re.split(r"^(?=# On )", text, flags=re.MULTILINE)
    return own, {part.split("\n", 1)[0]: part for part in others}


def join(own, others):
    RESULTS.write_text("\n".join(part.rstrip("\n") + "\n" for part in (own, *others) if part), encoding="utf-8")


def write(found):
    join(report.markdown(found), parts()[1].values())


def merged_versions(runs):
    """Not every run need have every peer, but two may not have the same one in two versions."""
    versions = {}
    for peer, version in (item for run in runs for item in run["versions"].items()):
        if version and versions.get(peer) and versions[peer] != version:
            raise ValueError(f"files of more than one {peer}")
        versions[peer] = versions.get(peer) or version
    return versions


def merged(paths):
    """Several runs of one machine as one; of a workload that was measured twice, the last."""
    runs = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            runs.append(json.load(file))
    for key in SAME:
        if any(run[key] != runs[0][key] for run in runs):
            raise ValueError(f"files of more than one {key}")
    results = {(result["workload"], result["threads"]): result for run in runs for result in run["results"]}
    versions = merged_versions(runs)
    missing = {name for run in runs for name in run["missing"] if not versions.get(name.split(" (")[0])}
    return {**runs[0], "minutes": sum(run["minutes"] for run in runs), "results": list(results.values()),
            "versions": versions, "missing": sorted(missing)}


def add(paths):
    found, (own, others) = merged(paths), parts()
    part = report.elsewhere(found)
    others[part.split("\n", 1)[0]] = part
    join(own, others.values())
