"""`python -m worker`: run one worker process."""

from turns.config.settings import Pool, settings_or_exit


def main() -> None:
    """Read the settings and run a worker."""
    settings = settings_or_exit()
    if settings.pool is Pool.GEVENT:
        from gevent import monkey

        monkey.patch_all()  # before any module that opens sockets is imported

    from turns.backend.client import check_store_or_exit

    check_store_or_exit(settings.store_url)  # before the seconds that LangChain takes to import

    from worker.app import run

    run(settings)


if __name__ == "__main__":
    main()
