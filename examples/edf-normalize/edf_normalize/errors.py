"""What can go wrong, and the exit code each kind of failure has."""

EXIT_INTERNAL = 1
EXIT_USAGE = 2
EXIT_MALFORMED = 3
EXIT_FILE = 4
EXIT_PLUGIN = 5


class NormalizeError(Exception):
    """A failure that is told to the user in one line; `exit_code` and `kind` tell which."""

    exit_code = EXIT_INTERNAL
    kind = "internal error"


class MalformedEdf(NormalizeError):
    """The input is not a recording that this program understands."""

    exit_code = EXIT_MALFORMED
    kind = "malformed EDF"


class FileFailure(NormalizeError):
    """The input cannot be read or the output cannot be written."""

    exit_code = EXIT_FILE
    kind = "file"


class PluginFailure(NormalizeError):
    """The plug-in cannot be loaded, or raised an exception."""

    exit_code = EXIT_PLUGIN
    kind = "plug-in"
