# One image for both roles: `python -m web` and `python -m worker`. It runs as nobody and writes nowhere.
FROM python:3.11-slim AS build
WORKDIR /app
COPY requirements.txt .
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt

FROM python:3.11-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY --from=build /venv /venv
COPY turns turns
COPY web web
COPY worker worker
# Else each process would compile them again at its start, as it writes nowhere.
RUN python -m compileall -q turns web worker
USER 65534:65534
EXPOSE 8000
CMD ["python", "-m", "web"]
