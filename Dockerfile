# One image for every process of Inaisle: `inaisle serve`, `worker`, `bridge`, `archive`.
#   docker build -t inaisle .
FROM python:3.12-slim-bookworm AS build
WORKDIR /src
COPY . .
# The pages are built by node, which comes as a Python package. Hashes are those of requirements.lock.
RUN pip install --no-cache-dir "uv>=0.13" \
    && uv build --wheel --out-dir /dist

FROM python:3.12-slim-bookworm
# pg_dump and pg_restore, for `inaisle backup`.
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends postgresql-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home --home-dir /var/lib/inaisle inaisle
COPY --from=build /dist/*.whl /tmp/
COPY requirements.lock /tmp/
RUN pip install --no-cache-dir "uv>=0.13" \
    && uv pip install --system --no-cache --constraint /tmp/requirements.lock \
        "$(ls /tmp/*.whl)[insight,plans,postgres,kafka,objects]" \
    && rm /tmp/*.whl /tmp/requirements.lock
USER inaisle
WORKDIR /var/lib/inaisle
ENV XDG_CACHE_HOME=/var/lib/inaisle/cache INAISLE__SITE__DATA=/var/lib/inaisle/data INAISLE__LOG__FORMAT=json
# Compiled now, a worker that takes over for another is ready in seconds.
RUN python -m inaisle.early_warm_up
VOLUME /var/lib/inaisle/data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/livez', timeout=2)"]
ENTRYPOINT ["inaisle"]
CMD ["serve"]
