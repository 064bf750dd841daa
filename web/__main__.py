"""`python -m web`: run the HTTP endpoint under gunicorn."""

from turns.config.environment import settings_or_exit


def main() -> None:
    settings = settings_or_exit()
    from gevent import monkey

    monkey.patch_all()  # before any module that opens sockets is imported

    from turns.backend.installation import join_or_exit
    from turns.config.logs import configure_logs

    configure_logs(settings)  # before the first check of the store, which logs what is away
    join_or_exit(settings)

    from web.server.gunicorn_server import serve

    serve(settings)


if __name__ == "__main__":
    main()
