"""The peers: how they are installed, which are there, and how each is started on a workload.

Every peer is a list of (name, command, environment): a program that may be given "check" as one more word, and
then prints what it computes instead of being measured.
"""
import functools
import glob
import json
import os
import shutil
import subprocess

from sides import BUILT, ROOT, said

PACKAGES = ["python3-torch", "libopenblas0-openmp", "libopenblas-openmp-dev", "libdnnl-dev", "python3-onnx"]
NODE_PACKAGES = ["onnxruntime-node@1.30.0", "@tensorflow/tfjs-core@4.22.0", "@tensorflow/tfjs-layers@4.22.0",
                 "@tensorflow/tfjs-backend-wasm@4.22.0"]
# Ignored by git; nothing of the build looks there.
FOLDER = ROOT / ".cache/peers"
MODELS = FOLDER / "onnx"
PEERS = ROOT / "bench/peers"
PYTHON = "/usr/bin/python3"


# --- installing -------------------------------------------------------------------------------------------------
def setup():
    """Debian packages, and npm's into a folder of their own. Returns an exit status."""
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    packages = [*PACKAGES, *([] if shutil.which("npm") else ["nodejs", "npm"])]
    FOLDER.mkdir(parents=True, exist_ok=True)
    commands = [[*as_root, "apt-get", "install", "-y", "--no-install-recommends", *packages],
                ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(FOLDER),
                 *NODE_PACKAGES]]
    status = 0
    for command in commands:  # one that fails leaves the peers of the other
        status = subprocess.run(command, check=False).returncode or status
    build()
    for peer, version in versions().items():
        print(f"{peer}: {version or 'missing'}")
    return status


def build():
    """Finds what has been installed since the last time, builds it, and writes the ONNX models."""
    for command in (["cmake", str(ROOT / "build")], ["cmake", "--build", str(ROOT / "build"), "--target", "bench_peers"]):
        subprocess.run(command, check=False, capture_output=True)
    if has_module("onnx") and not (MODELS / "cold.onnx").exists():
        subprocess.run([PYTHON, str(PEERS / "onnx_models.py"), str(MODELS)], check=False)


# --- what is there ----------------------------------------------------------------------------------------------
@functools.cache
def has_module(name):
    return said([PYTHON, "-c", f"import {name}; print({name}.__version__)"]) or None


def node_version(package):
    try:
        return json.loads((FOLDER / "node_modules" / package / "package.json").read_text())["version"]
    except (OSError, ValueError, KeyError):
        return None


def debian_version(package):
    return said(["dpkg-query", "-W", "-f", "${Version}", package]) or "of unknown version"


@functools.cache
def versions():
    """By peer: its version, or None where it is missing."""
    node = shutil.which("node") is not None
    return {"PyTorch": has_module("torch"),
            "oneDNN": debian_version("libdnnl2") if (BUILT / "onednn").exists() else None,
            "ONNX Runtime": node_version("onnxruntime-node") if node and MODELS.exists() else None,
            "TensorFlow.js": node_version("@tensorflow/tfjs-core") if node else None,
            "OpenBLAS": debian_version("libopenblas0-openmp") if (BUILT / "openblas").exists() else None}


def missing():
    return [f"{peer} (./run bench --setup)" for peer, version in versions().items() if version is None]


# --- how each is started ----------------------------------------------------------------------------------------
def torch_settings(threads):
    """(threads of PyTorch, threads of OpenBLAS): the three worth trying."""
    return sorted({(1, 1), (threads, 1), (threads, threads)})


def torch_environment(torch_threads, blas_threads):
    # With OpenBLAS's other build its pool of threads and OpenMP's fight.
    openmp = glob.glob("/usr/lib/*/openblas-openmp")
    return {"OPENBLAS_NUM_THREADS": str(blas_threads), "OMP_NUM_THREADS": str(max(torch_threads, blas_threads)),
            **({"LD_LIBRARY_PATH": openmp[0]} if openmp else {})}


def torch_sides(script, workload, threads):
    if versions()["PyTorch"] is None:
        return []
    return [(f"PyTorch ({of_torch}, {of_blas})", [PYTHON, PEERS / script, workload, of_torch],
             torch_environment(of_torch, of_blas)) for of_torch, of_blas in torch_settings(threads)]


def onednn(workload, threads):
    if versions()["oneDNN"] is None or not (workload.startswith("char") or workload.endswith("256")):
        return []
    return [("oneDNN", [BUILT / "onednn", workload], {"OMP_NUM_THREADS": str(threads)})]


def node(script, *words):
    return ["node", PEERS / script, *words], {"NODE_PATH": str(FOLDER / "node_modules")}


def tfjs(workload):
    if versions()["TensorFlow.js"] is None or workload != "p1":
        return []
    return [("TensorFlow.js (wasm)", *node("tfjs.js", workload))]


def onnx(model, threads, word=()):
    """ONNX Runtime with each number of threads; and last what node's own part of a call takes."""
    if versions()["ONNX Runtime"] is None:
        return []
    sides = [(f"ONNX Runtime ({count})", *node("onnx.js", MODELS / f"{model}.onnx", count, *word))
             for count in sorted({1, threads})]
    return [*sides, ("node alone", *node("onnx.js", MODELS / f"{model}.node.onnx", 1, *word))]


def openblas(m, n, k):
    if versions()["OpenBLAS"] is None:
        return []
    return [("OpenBLAS", [BUILT / "openblas", m, n, k], torch_environment(1, 1))]
