# SPDX-License-Identifier: MIT
"""What the rounds gave: the rows of results.json, and the table on the terminal."""

import json

import stats

OURS = "fern"


class Samples:
    """Values by measure, program and round."""

    def __init__(self):
        self.values = {}
        self.units = {}

    def add(self, program, number, values):
        for measure, (value, unit) in values.items():
            self.values.setdefault(measure, {}).setdefault(program, {})[number] = value
            self.units[measure] = unit

    def rows(self):
        """One row for each measure and program, ours first within a measure."""
        rows = []
        for measure, programs in self.values.items():
            ours = programs.get(OURS, {})
            for program in sorted(programs, key=lambda name: name != OURS):
                row = {"measure": measure, "program": program, "unit": self.units[measure],
                       **stats.summary(list(programs[program].values())),
                       "ratio": None, "ratio_low": None, "ratio_high": None}
                if program != OURS:
                    row.update(stats.paired_ratio(ours, programs[program]) or {})
                rows.append(row)
        return rows


def number(value):
    """Four significant digits, with thousands marked."""
    if value is None:
        return ""
    digits = 3 - len(str(int(abs(value)))) + (abs(value) < 1)
    return f"{value:,.{max(digits, 0)}f}"


def ratio_text(row):
    if row["ratio"] is None:
        return ""
    return f"{row['ratio']:7.3f}  [{row['ratio_low']:.3f}, {row['ratio_high']:.3f}]"


def print_table(rows):
    """The rows, a blank line between measures."""
    previous = None
    for row in rows:
        if row["measure"] != previous:
            previous = row["measure"]
            print(f"\n  {previous + ' (' + row['unit'] + ')':<36} {'median':>10} "
                  f"{'min':>10} {'max':>10} {'rounds':>6}   fern / this, 95 % interval")
        print(f"    {row['program']:<34} {number(row['median']):>10} {number(row['min']):>10} "
              f"{number(row['max']):>10} {row['rounds']:>6}   {ratio_text(row)}", flush=True)


def write_json(rows, path):
    with open(path, "w", encoding="ascii") as file:
        json.dump(rows, file, indent=1)
        file.write("\n")
