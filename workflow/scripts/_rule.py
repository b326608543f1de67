"""What every script shares: finds `hyper`, limits threads before NumPy loads, logs, and ends a fault in one line.

Snakemake puts this folder on the path, in whichever environment the job runs.
"""

import logging
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

# libraries sum in another order with other threads; what runs in several (job.threads) shares out whole pieces instead
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
    os.environ[_variable] = "1"
os.environ["NO_ET"] = "1"
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

# what the system says, also through HDF5, which gives no number
_MENDS = {
    "No space left on device": "Free some space and run the same command again; what is finished is kept",
    "Disk quota exceeded": "Free some of your quota and run the same command again; what is finished is kept",
    "Read-only file system": "Make the results' folder writable, or work in another (--directory)",
    "Permission denied": "Make the results' folder writable, or work in another (--directory)",
}


def run(main: Callable[[Any], None]) -> None:
    """Call `main` with Snakemake's job; log to the job's file and to the terminal's log.

    A fault that a person can mend ends the job with its message and no traceback.
    """
    from hyper.errors import FAULT, HyperError
    from hyper.io.atomic import remove_partial

    job = sys.modules["__main__"].snakemake
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if job.log:
        handlers.append(logging.FileHandler(job.log[0], mode="w", encoding="utf-8"))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", handlers=handlers)
    logging.captureWarnings(True)
    for noisy in ("nipype.workflow", "nipype.interface", "matplotlib", "fontTools", "dipy"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    warnings.simplefilter("default", UserWarning)
    try:
        remove_partial(job.output)
        main(job)
    except HyperError as fault:
        logging.error("%s%s", FAULT, fault)
        raise SystemExit(1) from None
    except OSError as fault:
        if mend := next((mend for sign, mend in _MENDS.items() if sign in str(fault)), None):
            logging.error("%s%s: %s. %s.", FAULT, Path(job.output[0]).parent, fault, mend)
        else:
            logging.exception("%sthe rule failed", FAULT)
        raise SystemExit(1) from None
    except Exception:
        logging.exception("%sthe rule failed", FAULT)
        raise SystemExit(1) from None
