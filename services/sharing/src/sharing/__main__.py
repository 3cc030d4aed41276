"""``python -m sharing api|worker|run|migrate|check``."""

import sys

from kernel.entry import service_main
from sharing.bootstrap import define

if __name__ == "__main__":
    sys.exit(service_main("sharing", define))
