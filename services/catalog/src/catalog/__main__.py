"""``python -m catalog api|worker|run|migrate|check``."""

import sys

from catalog.bootstrap import define
from kernel.entry import service_main

if __name__ == "__main__":
    sys.exit(service_main("catalog", define, sys.argv[1:]))
