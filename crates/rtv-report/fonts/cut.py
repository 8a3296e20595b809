#!/usr/bin/env python3
"""Cuts the fonts of the PDFs out of Inter; README.md says how to call it and what comes of it."""

import copy
import sys

from fontTools import subset
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont, newTable
from fontTools.ttLib.scaleUpem import scale_upem

FAMILY = "RTV Report"

# Latin with its extensions, combining marks, Greek, Cyrillic, punctuation, currencies, letterlike signs, arrows,
# mathematics, geometric shapes, ticks.
RANGES = [
    (0x20, 0x7E), (0xA0, 0x24F), (0x250, 0x2FF), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x52F), (0x1E00, 0x1FFF),
    (0x2000, 0x200A), (0x2010, 0x2027), (0x202F, 0x205F), (0x2070, 0x209C), (0x20A0, 0x20CF), (0x2100, 0x214F), (0x2150, 0x218F),
    (0x2190, 0x21FF), (0x2200, 0x22FF), (0x25A0, 0x25FF), (0x2605, 0x2606), (0x2610, 0x2612), (0x2713, 0x2718),
    (0x2C60, 0x2C7F), (0xA720, 0xA7FF), (0xFB00, 0xFB06),
]


def cut(font):
    options = subset.Options()
    options.layout_features = ["ccmp", "locl", "mark", "mkmk", "tnum"]
    options.hinting = False
    options.notdef_outline = True
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.drop_tables += ["DSIG", "STAT"]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=[code for first, last in RANGES for code in range(first, last + 1)])
    subsetter.subset(font)


def figures_of_one_width(font):
    """Makes the tabular figures the ordinary ones: columns of numbers stand below each other without a feature."""
    table = font["GSUB"].table
    lookups = {index for record in table.FeatureList.FeatureRecord if record.FeatureTag == "tnum"
               for index in record.Feature.LookupListIndex}
    changes = {}
    for index in lookups:
        for part in table.LookupList.Lookup[index].SubTable:
            changes.update(getattr(part, "ExtSubTable", part).mapping)
    for cmap in font["cmap"].tables:
        for code, name in cmap.cmap.items():
            if 0x30 <= code <= 0x39:
                cmap.cmap[code] = changes.get(name, name)


def to_quadratic(font):
    """Outlines as TrueType has them: programs that read PDFs know them longest."""
    order, glyphs = font.getGlyphOrder(), font.getGlyphSet()
    outlines = {}
    for name in order:
        pen = TTGlyphPen(glyphs)
        glyphs[name].draw(Cu2QuPen(pen, 1.0, reverse_direction=True))
        outlines[name] = pen.glyph()
    font["loca"], font["glyf"] = newTable("loca"), newTable("glyf")
    font["glyf"].glyphOrder, font["glyf"].glyphs = order, outlines
    del font["CFF "]
    if "VORG" in font:
        del font["VORG"]
    for name, (advance, _) in list(font["hmtx"].metrics.items()):
        outlines[name].recalcBounds(font["glyf"])
        font["hmtx"][name] = (advance, getattr(outlines[name], "xMin", 0) if outlines[name].numberOfContours else 0)
    maxp = font["maxp"]
    maxp.tableVersion = 0x00010000
    for field in ("maxZones", "maxTwilightPoints", "maxStorage", "maxFunctionDefs", "maxInstructionDefs",
                  "maxStackElements", "maxSizeOfInstructions", "maxComponentElements"):
        setattr(maxp, field, 1 if field == "maxZones" else 0)
    font["head"].glyphDataFormat = 0
    font.sfntVersion = "\000\001\000\000"


def a_glyph_for_each_character(font):
    """Text is copied out of a PDF by glyph: a space that is shared with the no-break space would come out as the latter."""
    order, best, taken = font.getGlyphOrder(), font.getBestCmap(), {}
    for code, name in sorted(best.items()):
        if name not in taken:
            taken[name] = code
            continue
        own = f"uni{code:04X}.own"
        order = [*order, own]
        font["glyf"].glyphs[own] = copy.deepcopy(font["glyf"].glyphs[name])
        font["hmtx"].metrics[own] = font["hmtx"].metrics[name]
        for cmap in font["cmap"].tables:
            if cmap.cmap.get(code) == name:
                cmap.cmap[code] = own
    font.setGlyphOrder(order)
    font["glyf"].glyphOrder = order
    font["maxp"].numGlyphs = len(order)


def replacement_character(font):
    """U+FFFD, which Inter lacks: the box of .notdef. It stands for what no font has."""
    own = "uniFFFD"
    order = [*font.getGlyphOrder(), own]
    font["glyf"].glyphs[own] = copy.deepcopy(font["glyf"].glyphs[".notdef"])
    font["hmtx"].metrics[own] = font["hmtx"].metrics[".notdef"]
    font.setGlyphOrder(order)
    font["glyf"].glyphOrder = order
    font["maxp"].numGlyphs = len(order)
    for cmap in font["cmap"].tables:
        if cmap.isUnicode():
            cmap.cmap[0xFFFD] = own


def rename(font, style):
    for record in font["name"].names:
        new = {1: FAMILY, 2: style, 3: f"{FAMILY} {style}", 4: f"{FAMILY} {style}", 6: f"{FAMILY.replace(' ', '')}-{style}"}
        if record.nameID in new:
            record.string = new[record.nameID]
    font["OS/2"].usWeightClass = 700 if style == "Bold" else 400
    font["OS/2"].fsSelection = 0x20 if style == "Bold" else 0x40
    font["head"].macStyle = 1 if style == "Bold" else 0


def main(source, style, target):
    font = TTFont(source, recalcTimestamp=False)
    cut(font)
    figures_of_one_width(font)
    to_quadratic(font)
    a_glyph_for_each_character(font)
    replacement_character(font)
    scale_upem(font, 1000)
    rename(font, style)
    # The feature itself has done its work.
    options = subset.Options()
    options.layout_features = ["ccmp", "locl", "mark", "mkmk"]
    options.hinting, options.notdef_outline, options.glyph_names = False, True, False
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=list(font.getBestCmap()))
    subsetter.subset(font)
    font.save(target)


main(*sys.argv[1:])
