"""Names of the files in a run directory."""

REGISTRY = "registry.json"
CALENDAR = "calendar.json"
ISSUER_KEY = "issuer/key.json"
CLIENTS = "issuer/clients.json"
PEOPLE = "issuer/people.json"
SETTINGS = "settings.env"
NODE_KEY = "node.key"
SERVICE_TOKEN = "service.token"  # noqa: S105 - a file name
