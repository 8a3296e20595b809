"""Prints for each sheet of a workbook its first cell, how many rows it has, and the sum of the numbers in its first column, as JSON."""

import json
import sys

from openpyxl import load_workbook

book = load_workbook(sys.argv[1], read_only=True)
counted = {}
for sheet in book:
    rows = 0
    total = 0.0
    first = None
    for row in sheet.iter_rows(values_only=True):
        if not row:
            continue
        first = row[0] if rows == 0 else first
        rows += 1
        total += row[0] if isinstance(row[0], (int, float)) else 0
    counted[sheet.title] = {"first": first, "rows": rows, "sum": total}
print(json.dumps(counted))
