# `harness proxy`, for a stack of containers. Versions come from requirements.lock.
FROM debian:bookworm-slim

RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends python3-venv \
 && rm -rf /var/lib/apt/lists/* \
 && python3 -m venv /venv

WORKDIR /srv
ARG PIP_INDEX_URL
COPY requirements.lock deploy/compose/pip-install ./
RUN ./pip-install h11 msgspec prometheus-client uvloop

COPY harness harness
ENV PYTHONUNBUFFERED=1
USER nobody
EXPOSE 8474
ENTRYPOINT ["/venv/bin/python", "-m", "harness.cli", "proxy"]
# Reachable from outside the container; whoever publishes the port decides for whom.
CMD ["--host", "0.0.0.0", "--allow-remote"]
