"""Tables as TSV and small mappings as JSON."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from hyper.errors import DataError
from hyper.io.atomic import atomic_path, write_text

# pandas by itself also takes words such as `null` for missing, which is what a trial without a stimulus is called
_MISSING = ["n/a", "N/A", "nan", "NaN", ""]


def write_table(path: str | Path, table: pd.DataFrame) -> None:
    """Write a table as TSV; missing values become BIDS's ``n/a``."""
    with atomic_path(path) as temporary:
        table.to_csv(temporary, sep="\t", index=False, na_rep="n/a", lineterminator="\n")


def read_table(path: str | Path, **options: Any) -> pd.DataFrame:
    """Read a TSV file; ``n/a``, ``nan`` and an empty cell become missing, and no other word does.

    Numbers are those nearest to what is written, so that a table of `write_table` comes back bit by bit.

    Raises
    ------
    DataError
        When the file is missing or is no table.
    """
    try:
        return pd.read_csv(
            path, sep="\t", na_values=_MISSING, keep_default_na=False, float_precision="round_trip", **options
        )
    except FileNotFoundError:
        raise DataError(path, "the file does not exist", "Run the rule that writes it") from None
    except IsADirectoryError:
        raise DataError(path, "it is a folder where a file is due", "Remove or rename it") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as fault:
        raise DataError(path, f"it is no table ({fault})", "Delete it and run its rule again") from fault


def write_json(path: str | Path, content: Mapping[str, Any]) -> None:
    """Write a mapping as indented JSON, keys in the given order."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read_json(path: str | Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises
    ------
    DataError
        When the file is no JSON object.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as fault:
        raise DataError(path, f"it is not valid JSON ({fault})", "Correct the file") from fault
    except IsADirectoryError:
        raise DataError(path, "it is a folder where a file is due", "Remove or rename it") from None
    if not isinstance(content, dict):
        raise DataError(path, "it holds no JSON object", "Write {...} with named fields")
    return content
