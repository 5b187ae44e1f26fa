"""The logic of bench/run: programs that die, ratios, lines to hold, the report. Nothing is measured here."""
import json
import math
import pathlib
import sys
import tempfile
import types
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "bench"))

import goals  # noqa: E402
import measures  # noqa: E402
import record  # noqa: E402
import report  # noqa: E402
import workloads  # noqa: E402
from sides import Side, row_of, take_turns, values_of  # noqa: E402

WELL = """
print("some talk first"); print("ready", flush=True)
import sys
import tempfile
for n, line in enumerate(sys.stdin):
    assert line == "go 30\\n"
    print('{"min": %g, "median": %g, "steps": 3, "rss_kb": 2048, "rows": 7}' % (1e-6 * (3 - n), 4e-6), flush=True)
"""


def program(text):
    return [sys.executable, "-c", text]


def row(name, low, **more):
    return {"name": name, "min_us": low, "median_us": 2 * low, "spread": 0.1, **more}


class Sides(unittest.TestCase):
    def test_take_turns_and_keep_the_least(self):
        sides = [Side("a", program(WELL)), Side("b", program(WELL))]
        take_turns(sides, 3, 30)
        for side in sides:
            found = side.row()
            self.assertAlmostEqual(found.pop("min_us"), 1)
            self.assertAlmostEqual(found.pop("median_us"), 4)
            self.assertEqual(found, {"name": side.name, "spread": 0, "rows": 7, "peak_mb": 2})

    def test_one_that_dies_says_why_and_the_others_go_on(self):
        dying = Side("dying", program("import sys; print('ready', flush=True); input(); sys.exit('no such shape')"))
        never = Side("never", program("import sys; sys.exit('no library')"))
        absent = Side("absent", ["/no/such/program"])
        well = Side("well", program(WELL))
        take_turns([dying, never, absent, well], 2, 30)
        self.assertEqual(dying.row(), {"name": "dying", "failed": "ended with status 1: no such shape"})
        self.assertEqual(never.row(), {"name": "never", "failed": "ended with status 1: no library"})
        self.assertEqual(absent.row(), {"name": "absent", "failed": "does not start: No such file or directory"})
        self.assertAlmostEqual(well.row()["min_us"], 2)

    def test_one_that_hangs_is_given_up(self):
        side = Side("slow", program("import time; time.sleep(60)"), patience=0.2)
        take_turns([side], 1, 30)
        self.assertEqual(side.row(), {"name": "slow", "failed": "no answer within 0 s"})

    def test_one_that_talks_nonsense_is_given_up(self):
        side = Side("odd", program("print('ready', flush=True); input(); print('fast!', flush=True); input()"))
        take_turns([side], 2, 30)
        self.assertIn("Expecting value", side.row()["failed"])

    def test_a_setting_that_cannot_be_the_best_is_measured_once(self):
        def of(seconds):
            return program("print('ready', flush=True)\nfor _ in range(3):\n input()\n print('{\"min\": %g, "
                           "\"median\": %g, \"steps\": 1}', flush=True)" % (seconds, seconds))
        sides = [Side("A (1)", of(1)), Side("A (2)", of(4)), Side("B", of(9)), Side("machine", of(8))]
        take_turns(sides, 3, 30)
        self.assertEqual([len(side.slices) for side in sides], [3, 1, 3, 3])

    def test_whole_processes(self):
        part, why = measures.run_once(program("print('some talk'); print('{\"rss_kb\": 3072}')"), {})
        self.assertIsNone(why)
        self.assertGreater(part["min"], 0)
        self.assertEqual(row_of("one", [part, {"min": 1e-6, "median": 1e-6, "rss_kb": 2048}], None)["peak_mb"], 2)
        self.assertNotIn("rss_kb", measures.run_once(program("print('nothing to tell')"), {})[0])
        self.assertEqual(measures.run_once(program("raise SystemExit('no model')"), {}),
                         (None, "ended with status 1: no model"))
        self.assertEqual(measures.run_once(["/no/such/program"], {}), (None, "does not start: No such file or directory"))

    def test_values_of_a_check(self):
        self.assertEqual(values_of("a", program("print('talk'); print('{\"values\": [1, 2.5]}')")), ([1, 2.5], None))
        self.assertEqual(values_of("b", program("print('talk')")), (None, "ended with status 0"))


class Comparisons(unittest.TestCase):
    def test_difference_is_relative_to_the_largest(self):
        self.assertAlmostEqual(measures.difference([100, 0.1], [100, 0.2]), 1e-3)
        self.assertEqual(measures.difference([1], [1, 2]), math.inf)
        self.assertEqual(measures.difference([1], [math.nan]), math.inf)
        self.assertEqual(measures.difference([], []), math.inf)

    def test_a_peer_that_computes_something_else_is_named(self):
        result = measures.new_result("p1", 1)
        ours = (program("print('{\"values\": [1, 2]}')"),)
        peers = [("A (1)", program("print('{\"values\": [1, 2.001]}')"), {}),
                 ("B", program("print('{\"values\": [1, 2.1]}')"), {}), ("C", program("exit(3)"), {})]
        measures.check(result, ours, peers)
        self.assertEqual(result["checks"], {"A": "the same to 5.0e-04", "B": "COMPUTES SOMETHING ELSE (by 5.0e-02)",
                                            "C": "not checked: ended with status 3"})

    def test_ratios_are_against_each_peer_at_its_best(self):
        result = measures.new_result("p1", 2)
        rows = [row("A (1, 1)", 30), row("A (2, 1)", 20), {"name": "B", "failed": "died"}, row("C", 5)]
        measures.against_best(result, row("unroll", 10), rows)
        self.assertEqual(result["ratios"], {"A": (2, 2), "C": (0.5, 0.5)})
        measures.against_best(result, {"name": "unroll", "failed": "died"}, rows)
        self.assertEqual(result["ratios"], {})


class Goals(unittest.TestCase):
    def results(self):
        one, two = measures.new_result("p1", 1), measures.new_result("p1", 2)
        one["sides"] = [row("unroll", 300, share_of_peak=0.7, peak_mb=12)]
        two["sides"] = [row("unroll", 200)]
        one["ratios"], two["ratios"] = {"PyTorch": (10.1, 9)}, {"PyTorch": (15, 14)}
        return [one, two]

    def test_lines(self):
        found = {line[0]: line[1:] for line in goals.lines(self.results())}
        self.assertEqual(found["p1, 1 thread(s) against PyTorch"], ("10.0x", "10.1x", "holds"))
        self.assertEqual(found["p1, 2 thread(s) against PyTorch"], ("16.0x", "15.0x", "DOES NOT HOLD"))
        self.assertEqual(found["p1, 4 thread(s) against PyTorch"], ("25.0x", "not measured", ""))
        self.assertEqual(found["p1, 1 thread(s), of FMA peak"], ("65%", "70%", "holds"))
        self.assertEqual(found["p1, peak memory"], ("at most 40 MB", "12 MB", "holds"))
        self.assertEqual(found["p1, 2 threads against 1"], ("1.70x", "1.50x", "DOES NOT HOLD"))
        self.assertEqual(found["data, memory beside the data, 64 x against 1 x"], ("at most 1.10", "not measured", ""))

    def test_every_line_names_a_workload_that_is_measured(self):
        for workload, *_ in goals.RATIOS:
            self.assertIn(workload, workloads.names())


def found_on(machine, results):
    return {"date": "2026-01-02", "machine": machine, "version": "0.1", "minutes": 2, "results": results,
            "versions": {"PyTorch": "1.13", "B": None}, "missing": ["B (./run bench --setup)"]}


class Record(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.kept, record.RESULTS = record.RESULTS, pathlib.Path(self.folder.name, "RESULTS.md")
        self.addCleanup(lambda: setattr(record, "RESULTS", self.kept))

    def save(self, name, found):
        path = str(pathlib.Path(self.folder.name, name))
        record.save(path, found)
        return path

    def result(self, name, us):
        result = measures.new_result(name, 4)
        result["sides"] = [row("unroll", us)]
        return result

    def test_another_machine_has_a_part_that_new_runs_keep(self):
        record.write(found_on("here", [self.result("p1", 300)]))
        first = self.save("a", found_on("there", [self.result("p1", 100), self.result("p4", 400)]))
        second = self.save("b", found_on("there", [self.result("p1", 90)]))
        record.add([first, second])
        record.write(found_on("here", [self.result("p1", 250)]))
        own, others = record.parts()
        self.assertIn("| unroll | 250.0 |", own)
        self.assertEqual(list(others), ["# On there"])
        part = others["# On there"]
        self.assertIn("| unroll | 90.0 |", part)
        self.assertIn("| unroll | 400.0 |", part)
        self.assertNotIn("| unroll | 100.0 |", part)

    def test_files_of_two_machines_are_no_part(self):
        paths = [self.save("a", found_on("there", [])), self.save("b", found_on("elsewhere", []))]
        with self.assertRaisesRegex(ValueError, "files of more than one machine"):
            record.merged(paths)


class Report(unittest.TestCase):
    def test_markdown_has_every_side_and_says_what_is_missing(self):
        result = measures.new_result("p1", 1)
        result["sides"] = [row("unroll", 300, share_of_peak=0.7, peak_mb=12), {"name": "B", "failed": "died"},
                           row("ONNX Runtime (1)", 4000, node_us=9)]
        result["checks"] = {"B": "the same to 1e-07"}
        text = report.markdown(found_on("a machine", [result]))
        for line in ["| side | min, us | median, us | spread | node alone, us | peak MB | |",
                     "| unroll | 300.0 | 600.0 | 10% |  | 12 | 70% of FMA peak |",
                     "| B | | | | | | failed: died |",
                     "| ONNX Runtime (1) | 4,000.0 | 8,000.0 | 10% | 9.000 |  |  |",
                     "Computed values: B the same to 1e-07.", "- not measured here: B (./run bench --setup)"]:
            self.assertIn(line, text.split("\n"))
        self.assertIn("the run took 2 minutes", text)
        self.assertIn("- workloads not in this run: p4, ", text)

    def test_every_workload_has_a_description_and_a_way_to_be_measured(self):
        self.assertEqual(len(workloads.names()), len(set(workloads.names())))
        for name in workloads.names():
            self.assertTrue(workloads.description(name))

    def test_a_failed_side_of_unroll_is_not_hidden(self):
        options = types.SimpleNamespace(rounds=1, slice=1)
        result = measures.loading("no_such", 1, options)
        self.assertIn("failed", result["sides"][0])
        self.assertIn("FAILED", report.text({**result, "workload": "csv"}))
        json.dumps(result)


if __name__ == "__main__":
    unittest.main()
