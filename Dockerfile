# docker build -t meter-ingest . && docker run --rm meter-ingest demo
FROM python:3.11-slim AS build
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

FROM python:3.11-slim
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/ingest ingest
COPY --from=build /opt/ingest /opt/ingest
USER ingest
WORKDIR /var/lib/ingest
VOLUME /var/lib/ingest
ENTRYPOINT ["/opt/ingest/bin/ingest"]
CMD ["run"]
