"""Readers and the fold: data larger than memory as chunks, and statistics of chunks added up."""

from suffice.streams.data import Data
from suffice.streams.describe import Summary, describe
from suffice.streams.fold import fold
from suffice.streams.sample import BottomK, Bound
from suffice.streams.source import Chunk, Part, Source
from suffice.streams.sources import chunks, from_array, scan
from suffice.streams.table import Table, scan_table

__all__ = [
    "BottomK",
    "Bound",
    "Chunk",
    "Data",
    "Part",
    "Source",
    "Summary",
    "Table",
    "chunks",
    "describe",
    "fold",
    "from_array",
    "scan",
    "scan_table",
]
