# SPDX-License-Identifier: MIT
"""One SVG for each group of measures, drawn by gnuplot: a bar for the median of each program,
with a whisker from the lowest round to the highest."""

import os
import shutil
import subprocess

COLUMNS = 3
CELL = 360, 300


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def plot_measure(measure, rows):
    """The gnuplot lines of one chart. Python's rows may be a thousand times ours, hence the
    logarithmic axis where values lie far apart."""
    medians = [row["median"] for row in rows]
    low, high = min(row["min"] for row in rows), max(row["max"] for row in rows)
    spread = low > 0 and high / low > 20
    lines = [f"set title {quoted(measure)} noenhanced", f"set ylabel {quoted(rows[0]['unit'])}",
             "set logscale y" if spread else "unset logscale y",
             f"set yrange [{min(low / 2, min(medians)) if spread else min(0, low)}:*]",
             f"set xrange [-0.6:{len(rows) - 0.4}]", "$data << END"]
    for place, row in enumerate(rows):
        colour = 0x2E7D32 if row["program"] == "fern" else 0x90A4AE
        lines.append(f"{place} {row['median']} {row['min']} {row['max']} {colour} "
                     f"{quoted(row['program'])}")
    lines += ["END", "plot $data using 1:2:(0.7):5:xtic(6) with boxes lc rgb variable, "
              "$data using 1:2:3:4 with yerrorbars lc rgb 'black' pt 0 ps 0 lw 1"]
    return lines


def plot_group(gnuplot, group, measures, folder):
    columns = min(COLUMNS, len(measures))
    height = -(-len(measures) // columns)
    path = os.path.join(folder, f"{group}.svg")
    lines = [f"set terminal svg size {CELL[0] * columns},{CELL[1] * height} font ',11' "
             "background rgb 'white'",
             f"set output {quoted(path)}", f"set multiplot layout {height},{columns}",
             "set style fill solid 0.9", "unset key", "set xtics rotate by -40 noenhanced",
             "set grid ytics", "set format y '%g'"]
    for measure, rows in measures.items():
        lines += plot_measure(measure, rows)
    subprocess.run([gnuplot], input="\n".join([*lines, "unset multiplot", ""]), text=True,
                   capture_output=True, check=True)
    return path


def plot(rows, folder):
    """Draw all groups; returns the paths, none without gnuplot."""
    gnuplot = shutil.which("gnuplot")
    if not gnuplot:
        print("No plots: gnuplot is not installed.")
        return []
    groups = {}
    for row in rows:
        group = row["measure"].split("-")[0]
        groups.setdefault(group, {}).setdefault(row["measure"], []).append(row)
    return [plot_group(gnuplot, group, measures, folder) for group, measures in groups.items()]
