"""tools/check_rooms on small trees of its own: each kind of offence is named, and nothing else is."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOOL = Path(__file__).resolve().parents[2] / 'tools' / 'check_rooms'
TABLE = """# floor | room | may include | doors
3 | layers  | kernels | layer
3 | data    |         | csv
2 | kernels |         |
2 | tensor  |         | tensor
1 | base    |         | error
"""
GOOD = {
    'rooms.txt': TABLE,
    'include/unroll/error.h': '#include <string>\n',
    'include/unroll/tensor.h': '#include "unroll/error.h"\n',
    'include/unroll/layer.h': '#include "unroll/tensor.h"\n',
    'include/unroll/unroll.h': '#include "unroll/error.h"\n#include "unroll/layer.h"\n#include "unroll/tensor.h"\n',
    'src/kernels/gemm.h': '#include "unroll/error.h"\n',
    'src/layers/dense.cpp': '#include "unroll/layer.h"\n\n#include <fmt/core.h>\n#include "src/kernels/gemm.h"\n',
}


def run(changes):
    """The exit status and the complaints for GOOD with some files changed or added."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {**GOOD, **changes}.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding='utf-8')
        done = subprocess.run([sys.executable, TOOL, folder], capture_output=True, text=True, check=False)
        return done.returncode, done.stderr.splitlines()


class CheckRooms(unittest.TestCase):
    def offence(self, changes, *complaints):
        self.assertEqual(run(changes), (1, list(complaints)))

    def test_a_tree_in_order_passes(self):
        self.assertEqual(run({}), (0, []))

    def test_an_arrow_upward(self):
        self.offence({'src/kernels/bad.cpp': '\n#include "src/layers/dense.h"\n'},
                     'src/kernels/bad.cpp:2: kernels includes "src/layers/dense.h" of layers; '
                     'it may include base kernels')

    def test_an_arrow_to_the_side_through_a_door(self):
        self.offence({'src/data/bad.h': '  #  include <unroll/layer.h>\n'},
                     'src/data/bad.h:1: data includes "unroll/layer.h" of layers; it may include base tensor data')

    def test_a_door_obeys_the_row_of_its_room(self):
        self.offence({'include/unroll/error.h': '#include "unroll/tensor.h"\n'},
                     'include/unroll/error.h:1: base includes "unroll/tensor.h" of tensor; it may include base')

    def test_a_door_shows_nothing_of_the_inside(self):
        self.offence({'include/unroll/layer.h': '#include "src/kernels/gemm.h"\n#include <fmt/core.h>\n'},
                     'include/unroll/layer.h:1: a door includes "src/kernels/gemm.h"; '
                     'it may include other doors and the standard library',
                     'include/unroll/layer.h:2: a door includes "fmt/core.h"; '
                     'it may include other doors and the standard library')

    def test_a_door_or_room_that_is_not_listed(self):
        self.offence({'include/unroll/extra.h': '', 'src/attic/junk.cpp': ''},
                     'src/attic/junk.cpp:1: rooms.txt gives this file no room',
                     'include/unroll/extra.h:1: rooms.txt gives this file no room',
                     'include/unroll/unroll.h:1: "unroll/extra.h" is not included')

    def test_the_umbrella_is_for_users(self):
        self.offence({'src/layers/dense.cpp': '#include "unroll/unroll.h"\n'},
                     'src/layers/dense.cpp:1: "unroll/unroll.h" is for users; include the doors that are needed')

    def test_mistakes_in_the_table(self):
        self.offence({'rooms.txt': TABLE + '2 | base | data | error\nnonsense\n'},
                     'rooms.txt:7: room base has a row already',
                     'rooms.txt:7: door error.h is listed already, by base',
                     'rooms.txt:8: want floor | room | may include | doors',
                     'rooms.txt:7: base names data, which is no room of a lower floor')


if __name__ == '__main__':
    unittest.main()
