"""The embedded token issuer as a process, for the demonstration and tests only."""

import sys
from collections.abc import Sequence
from pathlib import Path

import orjson
import uvicorn

from federation import files, ports
from federation.clocks import clock_of
from kernel.clock import Clock
from kernel.ids import Uuid7Source
from kernel.issuer import Client, Issuer, issuer_app, load_key


def open_issuer(place: Path, url: str, *, clock: Clock) -> Issuer:
    """Return the issuer of a run directory with its registered clients."""
    clients = orjson.loads((place / files.CLIENTS).read_bytes())
    return Issuer(
        url=url,
        key=load_key(place / files.ISSUER_KEY),
        clock=clock,
        ids=Uuid7Source(clock),
        clients={name: Client(**entry) for name, entry in clients.items()},
    )


def main(arguments: Sequence[str]) -> None:
    place, port, shift = Path(arguments[0]), int(arguments[1]), float(arguments[2])
    issuer = open_issuer(place, f"http://{ports.LOOPBACK}:{port}", clock=clock_of(shift))
    app = issuer_app(issuer, listeners=[ports.LOOPBACK], allowed=True)
    uvicorn.run(app, host=ports.LOOPBACK, port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main(sys.argv[1:])
