"""Adds up what gcov counted: for src/core (by the unit tests) and for the rest of src (by the suites on servers).

coverage_report.py TREE COUNTS OUTPUT: TREE was built with --coverage, COUNTS has a directory of .gcda files for each
suite, OUTPUT gets the lines that nothing reached. Fails below the figure wanted for the core, and where nothing was
counted.
"""
import collections
import json
import pathlib
import shutil
import subprocess
import sys

WANTED_CORE = 95.0


def lines_of(tree, counts):
    """{source file: {line: how often}} of one suite."""
    reached = collections.defaultdict(collections.Counter)
    for data in counts.rglob("*.gcda"):
        notes = pathlib.Path("/") / data.relative_to(counts).with_suffix(".gcno")
        if not notes.exists():
            continue
        shutil.copy(notes, data.with_suffix(".gcno"))
        made = subprocess.run(["gcov", "--json-format", "--stdout", str(data)], capture_output=True, check=True)
        for line in made.stdout.splitlines():
            for file in json.loads(line)["files"]:
                path = pathlib.Path(file["file"])
                path = path if path.is_absolute() else tree / path
                if tree / "src" not in path.parents:
                    continue
                for entry in file["lines"]:
                    # A template or inline function stands in several objects.
                    reached[path.relative_to(tree)][entry["line_number"]] += entry["count"]
    return reached


def main():
    tree, counts, output = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    core, rest = {}, collections.defaultdict(collections.Counter)
    for suite in sorted(counts.iterdir()):
        for path, lines in lines_of(tree, suite).items():
            if path.parts[1] == "core":
                if suite.name == "unit":
                    core[path] = lines
            else:
                rest[path].update(lines)
    good = True
    with output.open("w", encoding="utf-8") as out:
        for name, files, wanted in (("src/core, by the unit tests", core, WANTED_CORE), ("the rest, by servers", rest,
            0)):
            if not files:
                continue
            total = reached = 0
            for path, lines in sorted(files.items()):
                text = (tree / path).read_text(encoding="utf-8").splitlines()
                missed = sorted(number for number, count in lines.items() if count == 0)
                total += len(lines)
                reached += len(lines) - len(missed)
                print(f"{100 * (1 - len(missed) / max(len(lines), 1)):6.1f} %  {len(lines):5} lines  {path}")
                out.writelines(f"{path}:{number}: {text[number - 1]}\n" for number in missed)
            figure = 100 * reached / total
            good = good and figure >= wanted
            print(f"{'ok' if figure >= wanted else 'not ok'} - {name}: {figure:.1f} % of {total} lines")
    if not core and not rest:
        print("not ok - nothing was counted")
        good = False
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
