"""Prints what a workbook holds, as JSON: properties, and for each sheet its cells with their types and looks."""

import datetime
import json
import re
import sys
import zipfile

from openpyxl import load_workbook
from openpyxl.utils.escape import unescape

path = sys.argv[1]
book = load_workbook(path)
parts = zipfile.ZipFile(path)


def cell(one):
    if one.value is None:
        return None
    value = one.value
    if isinstance(value, (datetime.datetime, datetime.date)):
        value = value.isoformat()
    elif isinstance(value, str):
        # The standard's way of writing characters that XML would change, which openpyxl leaves as it is.
        value = unescape(value)
    return {
        "type": one.data_type,
        "value": value,
        "format": one.number_format,
        "bold": bool(one.font.bold),
        "quoted": bool(one.quotePrefix),
    }


def chart(one):
    series = [f"{item.val.numRef.f}" if hasattr(item, "val") else "" for item in one.series]
    stacked = f" {one.grouping}" if getattr(one, "grouping", None) else ""
    # The axis of the categories; shares have none.
    axis = getattr(one, "x_axis", None)
    downwards = " downwards" if axis is not None and axis.scaling.orientation == "maxMin" else ""
    return f"{type(one).__name__}{stacked}{downwards}: {', '.join(series)}"


def links(sheet):
    found = [one.hyperlink for row in sheet.iter_rows() for one in row if one.hyperlink]
    return [f"{link.ref} → {link.target or link.location}" for link in found]


xml = {name: parts.read(name).decode() for name in parts.namelist() if name.startswith("xl/worksheets/sheet")}
print(
    json.dumps(
        {
            "title": book.properties.title,
            "company": re.search(r"<Company>(.*)</Company>", parts.read("docProps/app.xml").decode()).group(1),
            "created": book.properties.created.isoformat(),
            "formulas": sum(len(re.findall(r"<f[ >]", text)) for text in xml.values()),
            "external_links": sum(
                parts.read(name).decode().count('TargetMode="External"')
                for name in parts.namelist()
                if name.endswith(".rels")
            ),
            "sheets": [
                {
                    "name": sheet.title,
                    "frozen": sheet.freeze_panes,
                    "filter": sheet.auto_filter.ref,
                    "charts": [chart(one) for one in sheet._charts],
                    "links": links(sheet),
                    "scales": [str(one.sqref) for one in sheet.conditional_formatting],
                    "rows": [[cell(one) for one in row] for row in sheet.iter_rows()],
                }
                for sheet in book
            ],
        }
    )
)
