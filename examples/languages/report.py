#!/usr/bin/python3
"""Sums the amounts of a CSV by customer. An argument names another column than `amount`."""
import csv
import json
import sys


def main() -> int:
    column = sys.argv[1] if len(sys.argv) > 1 else "amount"
    totals: dict[str, float] = {}
    rows = csv.DictReader(sys.stdin)
    for row in rows:
        try:
            totals[row["customer"]] = totals.get(row["customer"], 0) + float(row[column])
        except (KeyError, TypeError, ValueError) as error:
            print(f"line {rows.line_num}: {error!r}", file=sys.stderr)
            return 2
    json.dump(totals, sys.stdout)
    print()
    return 0


sys.exit(main())
