# docker build -t meter-ingest . && docker run --rm meter-ingest demo
# By digest, so that a build takes these bytes or fails; a newer one: --build-arg PYTHON=…@sha256:…
ARG PYTHON=python:3.11.15-slim-bookworm@sha256:d29f48a31a8b408ed19272ca1e7b10ebae13b240a27e862d3d4217c528e2e0c3
FROM ${PYTHON} AS build
WORKDIR /src
COPY requirements.lock ./
# Only what the lock names, with the hashes it names.
RUN python -m venv /opt/ingest \
    && /opt/ingest/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY config config
COPY ingest ingest
COPY layouts layouts
COPY parsers parsers
COPY samples samples
COPY storage storage
RUN /opt/ingest/bin/pip install --no-cache-dir --no-deps .

FROM ${PYTHON}
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/ingest ingest
COPY --from=build /opt/ingest /opt/ingest
USER ingest
WORKDIR /var/lib/ingest
VOLUME /var/lib/ingest
ENV INGEST_METRICS__LISTEN=127.0.0.1:9108
# Whether `run` still answers. Not /healthz, which is 503 while a mail server is away: a
# restart would not mend that, and would cut off the letters in hand.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["/opt/ingest/bin/python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:9108/metrics', timeout=8).read()"]
ENTRYPOINT ["/opt/ingest/bin/ingest"]
CMD ["run"]
