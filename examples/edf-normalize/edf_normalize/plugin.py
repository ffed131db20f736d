"""Loads an optional plug-in: a Python file among the inputs that may change the signals.

This is the way an attack comes in by data. The plug-in runs in this process with all its rights: the program's
image, command and profile stay the same, and only an input file differs.
"""

import traceback

from .errors import PluginFailure


def load_plugin(path: str):
    """Runs the file and returns its function `transform(labels, signals, first_record)`, or None where it has none.

    The source is compiled here, not imported, so that nothing is looked up or written beside the input.
    """
    namespace = {"__name__": "edf_normalize_plugin", "__file__": path}
    try:
        with open(path, "rb") as file:
            source = file.read()
        exec(compile(source, path, "exec"), namespace)
    except (Exception, SystemExit) as error:
        raise PluginFailure(f"{path} could not be loaded: {_in_one_line(error)}") from error
    transform = namespace.get("transform")
    if transform is None:
        return None

    def guarded(labels, signals, first_record):
        try:
            transform(labels, signals, first_record)
        except (Exception, SystemExit) as error:
            raise PluginFailure(f"{path} failed: {_in_one_line(error)}") from error

    return guarded


def _in_one_line(error: BaseException) -> str:
    return " ".join("".join(traceback.format_exception_only(error)).split())
