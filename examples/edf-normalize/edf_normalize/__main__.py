"""The command line: `python3 -m edf_normalize --input IN --output OUT [--plugin FILE]`."""

import argparse
import json
import os
import sys

from .errors import EXIT_INTERNAL, FileFailure, NormalizeError


def normalize(input_path: str, output_path: str, plugin_path: str | None) -> dict:
    """Normalises one recording and returns facts about it. Nothing is written before the header is accepted."""
    from .edf import Reader, encode_header
    from .harmonise import harmonise_chunk, make_plan
    from .plugin import load_plugin

    reader = Reader(input_path)
    plan = make_plan(reader.header)
    encoded = encode_header(plan.header)
    transform = load_plugin(plugin_path) if plugin_path else None
    if os.path.exists(output_path) and os.path.samefile(input_path, output_path):
        raise FileFailure("the output is the input")
    try:
        with open(output_path, "wb", buffering=0) as output:
            write_all(output, encoded)
            record = 0
            for chunk in reader.chunks():
                write_all(output, memoryview(harmonise_chunk(plan, chunk, record, transform)).cast("B"))
                record += len(chunk)
    except OSError as error:
        raise FileFailure(f"cannot write {output_path}: {error.strerror}") from error
    finally:
        reader.close()
    changed = sum(channel.before.label != channel.after.label for channel in plan.channels)
    header = plan.header
    return {
        "channels": len(plan.channels),
        "renamed": changed,
        "records": header.record_count,
        "seconds": header.record_count * header.record_seconds,
    }


def write_all(file, data) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="edf_normalize", description=__doc__)
    parser.add_argument("--input", required=True, help="EDF or EDF+ recording")
    parser.add_argument("--output", required=True, help="where the EDF+ recording is written")
    parser.add_argument("--plugin", help="Python file that may change the signals")
    options = parser.parse_args(arguments)
    try:
        facts = normalize(options.input, options.output, options.plugin)
    except NormalizeError as error:
        print(f"edf-normalize: {error.kind}: {error}", file=sys.stderr)
        return error.exit_code
    except Exception as error:
        message = " ".join(str(error).split())
        print(f"edf-normalize: internal error: {type(error).__name__}: {message}", file=sys.stderr)
        return EXIT_INTERNAL
    print(json.dumps(facts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
