"""tests/cli/check with a stand-in for the command: it passes what is right and fails what is not."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

CHECK = Path(__file__).resolve().parents[1] / 'cli' / 'check'
COMMAND = '#!/bin/sh\necho "took 1.5 s"; echo one; echo two; echo "no such file: $1" >&2; exit 2\n'


def run(environment=None, **files):
    """The exit status and the last line for one case made of these files."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(CHECK, folder)
        case = Path(folder, 'a_case')
        case.mkdir()
        for name, text in files.items():
            (case / name).write_text(text, encoding='utf-8')
        binary = Path(folder, 'stand_in')
        binary.write_text(COMMAND, encoding='utf-8')
        binary.chmod(0o755)
        done = subprocess.run([sys.executable, Path(folder, 'check'), binary], env=environment,
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.splitlines()[-1]


class CliCheck(unittest.TestCase):
    GOOD = {'command': 'unroll x.csv', 'stdout': 'took ... s\n...\ntwo\n',
            'stderr': 'no such file: x.csv\n', 'exit': '2\n'}
    PASSED, FAILED = (0, '1 passed, 0 failed, 0 skipped'), (1, '0 passed, 1 failed, 0 skipped')

    def test_the_right_output_passes(self):
        self.assertEqual(run(**self.GOOD), self.PASSED)

    def test_each_difference_fails(self):
        for change in ({'exit': '0'}, {'stdout': 'took ... s\none\n'}, {'stdout': 'took ... min\n...\n'},
                       {'stderr': ''}, {'command': 'unroll y.csv'}, {'stderr': 'no such file: x.csv\n\n'}):
            self.assertEqual(run(**{**self.GOOD, **change}), self.FAILED, change)

    def test_what_is_not_written_down_must_not_be_printed(self):
        self.assertEqual(run(command='true'), self.PASSED)
        self.assertEqual(run(command='echo surprise'), self.FAILED)

    def test_files_of_the_case_are_there(self):
        self.assertEqual(run(command='cat series.csv', stdout='a,b\n', **{'series.csv': 'a,b\n'}), self.PASSED)

    def test_a_case_without_its_data_is_skipped(self):
        command = {'command': 'echo $UNROLL_DATA_DIR', 'stdout': '/data\n'}
        bare = {k: v for k, v in os.environ.items() if k != 'UNROLL_DATA_DIR'}
        self.assertEqual(run(bare, **command), (0, '0 passed, 0 failed, 1 skipped'))
        self.assertEqual(run({**bare, 'UNROLL_DATA_DIR': '/data'}, **command), self.PASSED)


if __name__ == '__main__':
    unittest.main()
