"""tools/make_docs with a stand-in for the command."""
import contextlib
import importlib.machinery
import importlib.util
import io
import tempfile
import unittest
from pathlib import Path

TOOL = Path(__file__).resolve().parents[2] / 'tools' / 'make_docs'
LOADER = importlib.machinery.SourceFileLoader('make_docs', str(TOOL))
make_docs = importlib.util.module_from_spec(importlib.util.spec_from_loader('make_docs', LOADER))
LOADER.exec_module(make_docs)

PAGE = '''# A page

```sh
unroll lesson areas --plot areas.svg
unroll lesson
```

After it.
'''
COMMAND = '#!/bin/sh\ntest "$2" = areas && echo "<svg/>" > "$4" || exit 2\n'


def made(text):
    """(the page that was made, commands that failed, the files beside it)"""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        root = Path(folder)
        command, page, copy = root / 'bin/unroll', root / 'page.md', root / 'made/page.md'
        for path in (command, copy):
            path.parent.mkdir()
        command.write_text(COMMAND, encoding='utf-8')
        command.chmod(0o755)
        page.write_text(text, encoding='utf-8')
        failed = make_docs.make(page, copy, make_docs.check_docs(), command)
        return copy.read_text(encoding='utf-8'), failed, sorted(path.name for path in copy.parent.iterdir())


class MakeDocs(unittest.TestCase):
    def test_puts_the_picture_below_its_block(self):
        text, failed, files = made(PAGE)
        self.assertEqual(failed, [])
        self.assertEqual(files, ['areas.svg', 'page.md'])
        self.assertIn('```\n\n![areas](areas.svg)\n\nAfter it.\n', text)

    def test_tells_of_a_command_that_fails(self):
        _, failed, files = made(PAGE.replace('lesson areas', 'lesson area'))
        self.assertEqual(len(failed), 1)
        self.assertIn('unroll lesson area --plot', failed[0])
        self.assertEqual(files, ['page.md'])

    def test_runs_nothing_that_draws_nothing(self):
        text, failed, files = made('# A page\n\n```sh\nunroll lesson\n```\n')
        self.assertEqual((failed, files), ([], ['page.md']))
        self.assertNotIn('![', text)


if __name__ == '__main__':
    unittest.main()
