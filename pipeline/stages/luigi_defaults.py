"""Settings without which Luigi does not tell the truth; a user's own luigi.cfg wins."""

from collections.abc import Mapping

import luigi.configuration

# A stage runs in a fork of its own even with one worker: torch and CTranslate2 hang when one
# process uses both, and memory goes back to the system after each stage.
DEFAULTS = {
    "worker": {"check_complete_on_run": "true", "force_multiprocessing": "true"},
    "retcode": {
        "already_running": "10",
        "missing_data": "20",
        "not_run": "25",
        "task_failed": "30",
        "scheduling_error": "35",
        "unhandled_exception": "40",
    },
}


def apply(defaults: Mapping[str, Mapping[str, str]] = DEFAULTS) -> None:
    """Set every default that the user has not set."""
    config = luigi.configuration.get_config()
    for section, options in defaults.items():
        for option, value in options.items():
            if not config.has_option(section, option):
                config.set(section, option, value)
