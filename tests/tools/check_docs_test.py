"""tools/check_docs with a stand-in for the library and the command."""
import contextlib
import importlib.machinery
import importlib.util
import io
import tempfile
import unittest
from pathlib import Path

TOOL = Path(__file__).resolve().parents[2] / 'tools' / 'check_docs'
LOADER = importlib.machinery.SourceFileLoader('check_docs', str(TOOL))
SPEC = importlib.util.spec_from_loader('check_docs', LOADER)
check_docs = importlib.util.module_from_spec(SPEC)
LOADER.exec_module(check_docs)

DOOR = 'namespace unroll { inline int five() { return 5; } }\n'
COMMAND = '#!/bin/sh\ntest "$1" = good && touch made || { echo bad word >&2; exit 2; }\n'


def check(text):
    """(passed, failed, what was printed) for a README of this text."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as printed:
        root = Path(folder)
        (root / 'unroll').mkdir()
        (root / 'unroll/unroll.h').write_text(DOOR, encoding='utf-8')
        for name in ('run', 'bin/unroll'):
            path = root / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(COMMAND, encoding='utf-8')
            path.chmod(0o755)
        (root / 'README.md').write_text(text, encoding='utf-8')
        words = ['c++', '-std=c++20', f'-I{root}', 'SOURCE']
        checker = check_docs.Checker(root, root / 'bin/unroll', words)
        checker.document(root / 'README.md')
    return checker.passed, checker.failed, printed.getvalue()


def block(info, *lines):
    return '\n'.join([f'```{info}', *lines, '```', ''])


class CheckDocs(unittest.TestCase):
    def passes(self, count, text):
        self.assertEqual(check(text), (count, 0, ''))

    def fails(self, text, *words):
        passed, failed, printed = check(text)
        self.assertEqual((passed, failed), (0, 1))
        for word in words:
            self.assertIn(word, printed)

    def test_a_body_and_a_program(self):
        self.passes(2, block('cpp', '#include <cstdlib>', 'if (five() != 5) std::exit(1);')
                    + block('cpp', '#include <unroll/unroll.h>', 'int main() { return unroll::five() - 5; }'))

    def test_programs_that_fail(self):
        self.fails('\n' + block('cpp', 'int x = six();'), 'README.md:2: does not compile', 'six')
        self.fails(block('cpp', 'return five();'), 'README.md:1: runs, but fails', 'exit status 5, not 0')

    def test_a_block_that_goes_on_and_one_that_is_not_run(self):
        self.passes(2, block('cpp', 'int x = five();') + 'and\n' + block('cpp continues', 'return x - 5;'))
        self.passes(1, block('cpp no-run', 'return five();'))

    def test_commands(self):
        self.passes(2, block('console', '$ unroll good', 'bad output is not a command') + block('sh', './run \\', '  good'))
        self.passes(1, block('console', '$ UNROLL_THREADS=2 unroll bad', 'bad word', '$ echo $?', '2'))
        self.fails(block('console', '$ unroll bad', 'bad word'), 'README.md:2: unroll bad', 'exit status 2, not 0')
        self.fails(block('console', '$ unroll good', '$ echo $?', '2'), 'exit status 0, not 2')

    def test_what_is_left_to_ci_or_is_not_ours(self):
        self.passes(0, block('sh', './run test', 'rm -rf everything') + block('text', '$ unroll bad') + block('console', '$ ls'))

    def test_links(self):
        self.passes(1, 'See [it](README.md#top), [that](https://example.org) and [above](#top).\n')
        self.fails('See [it](docs/none.md).\n', 'README.md:1: the link to docs/none.md leads nowhere')


if __name__ == '__main__':
    unittest.main()
