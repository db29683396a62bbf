"""How long a client of ours waits for a connection, and how much of an answer it takes. One number each."""

from harness.model.units import Duration

# A database under load may take seconds to greet; nobody who listens takes longer.
CONNECT_LIMIT = Duration.of_s(10)

MOST_BODY = 16 * 1024 * 1024
TOO_MUCH = "more than 16 MiB"
