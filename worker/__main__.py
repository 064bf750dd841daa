"""`python -m worker`: one worker process."""

from turns.config.settings import Pool, settings_or_exit


def main() -> None:
    settings = settings_or_exit()
    if settings.pool is Pool.GEVENT:
        from gevent import monkey

        monkey.patch_all()  # before anything that opens a socket is imported

    from worker.app import run

    run(settings)


if __name__ == "__main__":
    main()
