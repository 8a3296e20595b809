"""What other programs take for the same: the table of `crates/rtv-report/examples/figures.rs` by XlsxWriter in constant memory, and a table of
twenty pages by reportlab. Prints seconds (the best of three) and the most memory.

report-peers.py xlsx [ROWS] | pdf
"""

import datetime
import os
import resource
import sys
import tempfile
import time


def rows(number):
    first = datetime.date(2014, 1, 1)
    for row in range(number):
        figures = [row * factor % 9_999_991 for factor in (7_919, 15_485, 104, 31, 6_151, 769, 12_289)]
        yield [
            f"Post {row}: “Grüße aus Köln”, {row % 97} 😀 and where to find it",
            f"Campaign {row % 113}",
            first + datetime.timedelta(days=row % 3_650),
            *figures[:4],
            figures[4] / 1e7,
            figures[5] / 1e7,
            figures[6] / 100,
        ]


def write_xlsx(path, table):
    import xlsxwriter

    book = xlsxwriter.Workbook(path, {"constant_memory": True})
    sheet = book.add_worksheet("Posts")
    formats = [
        None,
        None,
        book.add_format({"num_format": "yyyy-mm-dd"}),
        *[book.add_format({"num_format": "#,##0"})] * 4,
        book.add_format({"num_format": "0.00%"}),
        book.add_format({"num_format": "0.00"}),
        book.add_format({"num_format": "[$EUR] #,##0.00"}),
    ]
    labels = ["Post", "Campaign", "Day", "Summed reach", "Impressions", "Engagements", "Clicks"]
    labels += ["Engagement rate", "Average sentiment", "Revenue"]
    bold = book.add_format({"bold": True})
    for column, label in enumerate(labels):
        sheet.set_column(column, column, 18, formats[column])
        sheet.write_string(0, column, label, bold)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, len(table), 9)
    for number, row in enumerate(table, 1):
        sheet.write_string(number, 0, row[0])
        sheet.write_string(number, 1, row[1])
        sheet.write_datetime(number, 2, row[2], formats[2])
        for column in range(3, 10):
            sheet.write_number(number, column, row[column], formats[column])
    book.close()


def write_pdf(path, table):
    from reportlab.lib import colors
    from reportlab.lib.pagesizes import A4, landscape
    from reportlab.platypus import SimpleDocTemplate, Table, TableStyle

    cells = [["Post", "Campaign", "Day", "Reach", "Impressions", "Engagements", "Clicks", "Rate", "Sentiment", "Revenue"]]
    for row in table:
        cells.append([row[0][:28], row[1], row[2].isoformat(), *[f"{value:,.2f}" for value in row[3:]]])
    drawn = Table(cells, repeatRows=1)
    drawn.setStyle(TableStyle([("FONTSIZE", (0, 0), (-1, -1), 7), ("LINEBELOW", (0, 0), (-1, -1), 0.25, colors.grey)]))
    document = SimpleDocTemplate(path, pagesize=landscape(A4))
    document.build([drawn])
    return document.page


def main():
    what = sys.argv[1]
    number = int(sys.argv[2]) if len(sys.argv) > 2 else {"xlsx": 100_000, "pdf": 470}[what]
    table = list(rows(number))
    write = {"xlsx": write_xlsx, "pdf": write_pdf}[what]
    best = float("inf")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "table")
        for _ in range(3):
            started = time.perf_counter()
            pages = write(path, table)
            best = min(best, time.perf_counter() - started)
        size = os.path.getsize(path)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    name = {"xlsx": "XlsxWriter", "pdf": f"reportlab, {pages} pages"}[what]
    print(f"{name}: {number} rows, {size} bytes, {best:.3f} s (best of 3), peak memory {peak} kB")


main()
