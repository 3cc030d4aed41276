"""``python -m notify api|worker|run|migrate|check``."""

import sys

from kernel.entry import service_main
from notify.bootstrap import define

if __name__ == "__main__":
    sys.exit(service_main("notify", define, sys.argv[1:]))
