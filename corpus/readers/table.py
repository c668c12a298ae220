"""Tables in text files: each row becomes a line that names its columns."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from corpus.errors import UnreadableFile
from corpus.readers.layout import rows
from corpus.readers.plain import decoded
from corpus.types import Extracted


class TableReader:
    """CSV and TSV; the delimiter is found from the first lines."""

    def read(self, path: Path) -> Extracted:
        text = decoded(path.read_bytes())
        try:
            dialect: type[csv.Dialect] | csv.Dialect = csv.Sniffer().sniff(text[:10_000], delimiters=",;\t|")
        except csv.Error:
            dialect = csv.excel_tab if path.suffix.lower() == ".tsv" else csv.excel
        try:
            blocks = tuple(rows(list(csv.reader(io.StringIO(text), dialect))))
        except csv.Error as error:
            raise UnreadableFile(f"isn't a table that can be read: {error}") from None
        if not blocks:
            raise UnreadableFile("holds no text")
        return Extracted(blocks)
